CREATE TABLE IF NOT EXISTS {terms} (
    representation pg_catalog.text NOT NULL,
    element int NOT NULL,
    passages int NOT NULL,
    PRIMARY KEY (representation, element)
);
COMMENT ON TABLE {terms} IS {comment};
COMMENT ON COLUMN {terms}.passages IS 'The passages that have the element, when they were counted last';
