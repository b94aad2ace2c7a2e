"""Workers with heartbeats, changes that come late, hashes of whole rows, and queues that are claimed by attempts."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        ALTER TABLE pgencoder.generation ADD COLUMN queued_to text[], ADD COLUMN activated_at timestamptz;
        COMMENT ON COLUMN pgencoder.generation.queued_to IS
            'The last key that was queued of the rows that were there before the generation; NULL before the first';
        COMMENT ON COLUMN pgencoder.generation.activated_at IS 'When searches last began to use it; NULL: never';
        UPDATE pgencoder.generation SET activated_at = created_at WHERE state = 'active';
        CREATE TABLE pgencoder.late (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            collection text NOT NULL,
            key text[]
        );
        COMMENT ON TABLE pgencoder.late IS
            'Changes that workers put into the queues: of transactions whose snapshot kept them from it,'
            ' and, with a NULL key, a TRUNCATE';
        CREATE TABLE pgencoder.worker (
            id uuid PRIMARY KEY,
            host text NOT NULL,
            pid int NOT NULL,
            models text[] NOT NULL DEFAULT '{}',
            device text,
            waiting boolean NOT NULL DEFAULT false,
            started_at timestamptz NOT NULL DEFAULT now(),
            last_seen timestamptz NOT NULL DEFAULT now(),
            rows bigint NOT NULL DEFAULT 0,
            passages bigint NOT NULL DEFAULT 0,
            failures bigint NOT NULL DEFAULT 0,
            rates jsonb NOT NULL DEFAULT '{}',
            problem text
        );
        COMMENT ON TABLE pgencoder.worker IS
            'Heartbeats: a worker renews its row while it runs and removes it at the end';
        COMMENT ON COLUMN pgencoder.worker.rates IS 'Rows a second in the last minute, by passages table';
        DO $$
        DECLARE
            passages text;
            old_index text;
        BEGIN
            SELECT collection INTO passages FROM pgencoder.collection_key
                WHERE name IN ('changed_at', 'row_hash') LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'the key of collection % has a name that is now taken; detach it, migrate, and'
                    ' attach it again', passages;
            END IF;
            FOR passages IN SELECT collection || '_' || number FROM pgencoder.generation LOOP
                EXECUTE format('ALTER TABLE pgencoder.%I ADD COLUMN row_hash bytea', passages);
                SELECT indexname INTO old_index FROM pg_indexes WHERE schemaname = 'pgencoder'
                    AND tablename = passages || '_queue' AND indexdef LIKE '% USING btree (seq)';
                EXECUTE format('DROP INDEX pgencoder.%I', old_index);
                EXECUTE format('ALTER TABLE pgencoder.%1$I ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now(),
                    SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)', passages ||
                    '_queue');
                EXECUTE format('CREATE INDEX ON pgencoder.%I (seq) WHERE attempts = 0', passages || '_queue');
                EXECUTE format('CREATE INDEX ON pgencoder.%I (run_after) WHERE attempts > 0', passages || '_queue');
            END LOOP;
        END $$;
        """.replace("%", "%%")  # the driver takes a % for a parameter
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP TABLE pgencoder.late, pgencoder.worker;"
        "ALTER TABLE pgencoder.generation DROP COLUMN queued_to, DROP COLUMN activated_at"
    )
