"""Everything that is DDL: the schema `pgencoder`, collections, generations, search functions, roles and scripts."""
