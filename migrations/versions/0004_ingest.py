"""Workers with heartbeats, changes that come late, hashes of whole rows, and queues that are claimed by attempts."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        ALTER TABLE pgencoder.generation ADD COLUMN queued_to pg_catalog.text[],
            ADD COLUMN activated_at timestamp with time zone;
        COMMENT ON COLUMN pgencoder.generation.queued_to IS
            'The last key that was queued of the rows that were there before the generation; NULL before the first';
        COMMENT ON COLUMN pgencoder.generation.activated_at IS 'When searches last began to use it; NULL: never';
        UPDATE pgencoder.generation SET activated_at = created_at
            WHERE state OPERATOR(pg_catalog.=) 'active';
        CREATE TABLE pgencoder.late (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            collection pg_catalog.text NOT NULL,
            key pg_catalog.text[]
        );
        COMMENT ON TABLE pgencoder.late IS
            'Changes that workers put into the queues: of transactions whose snapshot kept them from it,'
            ' and, with a NULL key, a TRUNCATE';
        CREATE TABLE pgencoder.worker (
            id pg_catalog.uuid PRIMARY KEY,
            host pg_catalog.text NOT NULL,
            pid int NOT NULL,
            models pg_catalog.text[] NOT NULL DEFAULT '{}',
            device pg_catalog.text,
            waiting boolean NOT NULL DEFAULT false,
            started_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
            last_seen timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
            rows bigint NOT NULL DEFAULT 0,
            passages bigint NOT NULL DEFAULT 0,
            failures bigint NOT NULL DEFAULT 0,
            rates pg_catalog.jsonb NOT NULL DEFAULT '{}',
            problem pg_catalog.text
        );
        COMMENT ON TABLE pgencoder.worker IS
            'Heartbeats: a worker renews its row while it runs and removes it at the end';
        COMMENT ON COLUMN pgencoder.worker.rates IS 'Rows a second in the last minute, by passages table';
        DO $$
        DECLARE
            passages pg_catalog.text;
            old_index pg_catalog.text;
        BEGIN
            SELECT collection INTO passages FROM pgencoder.collection_key
                WHERE name OPERATOR(pg_catalog.=) ANY (ARRAY['changed_at', 'row_hash']) LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'the key of collection % has a name that is now taken; detach it, migrate, and'
                    ' attach it again', passages;
            END IF;
            FOR passages IN SELECT pg_catalog.concat(collection, '_', number) FROM pgencoder.generation LOOP
                EXECUTE pg_catalog.format('ALTER TABLE pgencoder.%I ADD COLUMN row_hash pg_catalog.bytea', passages);
                SELECT indexname INTO old_index FROM pg_catalog.pg_indexes
                    WHERE schemaname OPERATOR(pg_catalog.=) 'pgencoder'
                    AND tablename OPERATOR(pg_catalog.=) pg_catalog.concat(passages, '_queue')
                    AND indexdef OPERATOR(pg_catalog.~~) '% USING btree (seq)';
                EXECUTE pg_catalog.format('DROP INDEX pgencoder.%I', old_index);
                EXECUTE pg_catalog.format('ALTER TABLE pgencoder.%1$I
                    ADD COLUMN changed_at timestamp with time zone NOT NULL DEFAULT pg_catalog.now(),
                    SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)',
                    pg_catalog.concat(passages, '_queue'));
                EXECUTE pg_catalog.format(
                    'CREATE INDEX ON pgencoder.%I (seq) WHERE attempts OPERATOR(pg_catalog.=) 0',
                    pg_catalog.concat(passages, '_queue'));
                EXECUTE pg_catalog.format(
                    'CREATE INDEX ON pgencoder.%I (run_after) WHERE attempts OPERATOR(pg_catalog.>) 0',
                    pg_catalog.concat(passages, '_queue'));
            END LOOP;
        END $$;
        """.replace("%", "%%")  # the driver takes a % for a parameter
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP TABLE pgencoder.late, pgencoder.worker;"
        "ALTER TABLE pgencoder.generation DROP COLUMN queued_to, DROP COLUMN activated_at"
    )
