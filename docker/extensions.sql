-- Runs once, when the data directory is created; template1 passes the extensions on to databases that are created later
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pgencoder_native;
\connect template1
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pgencoder_native;
