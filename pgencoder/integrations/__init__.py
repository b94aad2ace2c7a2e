"""Adapters to retrieval frameworks, each with its own extra; nothing else imports them."""
