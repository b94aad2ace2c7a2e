"""Explains a hit: which words of the query match which words of the passage, and how that looks."""
