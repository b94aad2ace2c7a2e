GRANT USAGE ON SCHEMA pgencoder TO {reader}, {worker};
GRANT SELECT ON pgencoder.collection, pgencoder.collection_key, pgencoder.generation, pgencoder.representation,
    pgencoder.revision
    TO {reader}, {worker};
GRANT UPDATE (queued_to, queued_at, index_failures, index_error, index_retry_at) ON pgencoder.generation TO {worker};
GRANT SELECT, INSERT, UPDATE, DELETE ON pgencoder.worker TO {worker};
GRANT SELECT, UPDATE, DELETE ON pgencoder.late TO {worker};
GRANT SELECT ON pgencoder.status, pgencoder.failed TO {worker};
GRANT USAGE ON SEQUENCE pgencoder.change TO {worker};
