"""The catalogue: collections, the tables that they are of, and what is wrong with them."""

from pgencoder.catalog.collections import add, add_generation, collection, collections, description
from pgencoder.catalog.configurations import lexical, lexical_by_name
from pgencoder.catalog.problems import check_problem, check_source, problem, warn, warning
from pgencoder.catalog.sources import TAKEN, attached_table, find_columns, find_source, find_table, free_names

__all__ = [
    "TAKEN",
    "add",
    "add_generation",
    "attached_table",
    "check_problem",
    "check_source",
    "collection",
    "collections",
    "description",
    "find_columns",
    "find_source",
    "find_table",
    "free_names",
    "lexical",
    "lexical_by_name",
    "problem",
    "warn",
    "warning",
]
