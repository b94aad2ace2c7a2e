"""Room for what the state of a collection and its passages must say."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# One statement a line of reasons: each is added by the feature that needs it
UP: tuple[str, ...] = (
    # attempts to build an index that failed: every process sees why, and waits
    """
    ALTER TABLE pgencoder.generation ADD COLUMN index_failures int NOT NULL DEFAULT 0, ADD COLUMN index_error text,
        ADD COLUMN index_retry_at timestamptz;
    COMMENT ON COLUMN pgencoder.generation.index_failures IS 'How often in a row the index could not be built';
    COMMENT ON COLUMN pgencoder.generation.index_error IS 'Why it could not be built the last time';
    COMMENT ON COLUMN pgencoder.generation.index_retry_at IS 'When workers try again';
    """,
    # passages of which the model knows less than half; NULL in what was encoded before
    """
    DO $$
    DECLARE
        passages pg_catalog.text;
    BEGIN
        SELECT collection INTO passages FROM pgencoder.collection_key
            WHERE name OPERATOR(pg_catalog.=) 'mostly_unknown' LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'the key of collection % has a name that is now taken; detach it, migrate, and'
                ' attach it again', passages;
        END IF;
        FOR passages IN SELECT pg_catalog.concat(collection, '_', number) FROM pgencoder.generation LOOP
            EXECUTE pg_catalog.format(
                'ALTER TABLE IF EXISTS pgencoder.%I ADD COLUMN IF NOT EXISTS mostly_unknown boolean', passages);
        END LOOP;
    END
    $$
    """,
    # what the status says has other columns, the problem of a collection's table and what the model does not know
    "DROP VIEW IF EXISTS pgencoder.status; DROP FUNCTION IF EXISTS pgencoder.read_status()",
    # the owner of a table may say of that table alone that it has changed: it is known by the function of the triggers,
    # which is the owner's
    """
    ALTER TABLE pgencoder.late ENABLE ROW LEVEL SECURITY;
    DROP POLICY IF EXISTS read ON pgencoder.late;
    CREATE POLICY read ON pgencoder.late FOR SELECT USING (true);
    DROP POLICY IF EXISTS claim ON pgencoder.late;
    CREATE POLICY claim ON pgencoder.late FOR UPDATE USING (true);
    DROP POLICY IF EXISTS done ON pgencoder.late;
    CREATE POLICY done ON pgencoder.late FOR DELETE USING (true);
    DROP POLICY IF EXISTS changed ON pgencoder.late;
    CREATE POLICY changed ON pgencoder.late FOR INSERT WITH CHECK (EXISTS (
        SELECT FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) 'pgencoder'::pg_catalog.regnamespace::pg_catalog.oid
            AND p.proname OPERATOR(pg_catalog.=) pg_catalog.concat(late.collection, '_changed')
            AND pg_catalog.pg_has_role(p.proowner, 'USAGE')
    ))
    """,
    # contents are no longer cast to text, which wrote some types in another way: rows are looked at, and those that are
    # the same are not encoded again; a domain is cast as the type under it
    """
    UPDATE pgencoder.generation g SET queued_at = NULL, queued_to = NULL
    FROM pgencoder.collection c
    WHERE c.name OPERATOR(pg_catalog.=) g.collection AND EXISTS (
        SELECT FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
        JOIN pg_catalog.pg_cast k ON k.castsource OPERATOR(pg_catalog.=) ANY (ARRAY(
                WITH RECURSIVE base (type) AS (
                    SELECT a.atttypid
                    UNION
                    SELECT d.typbasetype FROM base
                    JOIN pg_catalog.pg_type d ON d.oid OPERATOR(pg_catalog.=) base.type
                        AND d.typtype OPERATOR(pg_catalog.=) 'd'
                )
                SELECT type FROM base
            )) AND k.casttarget OPERATOR(pg_catalog.=) 'pg_catalog.text'::pg_catalog.regtype
            AND k.castmethod OPERATOR(pg_catalog.=) 'f'
        WHERE n.nspname OPERATOR(pg_catalog.=) c.source_schema AND t.relname OPERATOR(pg_catalog.=) c.source_table
            AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (c.columns)
    )
    """,
)
DOWN: tuple[str, ...] = (
    "DROP VIEW pgencoder.status; DROP FUNCTION pgencoder.read_status()",
    """
    DROP POLICY read ON pgencoder.late; DROP POLICY claim ON pgencoder.late; DROP POLICY done ON pgencoder.late;
    DROP POLICY changed ON pgencoder.late; ALTER TABLE pgencoder.late DISABLE ROW LEVEL SECURITY
    """,
    """
    ALTER TABLE pgencoder.generation DROP COLUMN index_failures, DROP COLUMN index_error,
        DROP COLUMN index_retry_at;
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})


def downgrade() -> None:
    for statement in reversed(DOWN):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
