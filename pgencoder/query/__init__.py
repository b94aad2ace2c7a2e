"""What is asked of a collection: searches, one SELECT of ANN recall and MaxSim, and the pairs that are similar."""

from pgencoder.query.pairs import PairSearch, check_encoded, similar_pairs
from pgencoder.query.statement import Search, search_statement

__all__ = ["PairSearch", "Search", "check_encoded", "search_statement", "similar_pairs"]
