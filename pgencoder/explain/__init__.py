"""Explains a hit: which words of the query match which words of the passage, and shows it."""
