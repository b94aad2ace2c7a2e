SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE "it's a ""schema"""."odd ""50%"" {$1}" (
    passage text NOT NULL,
    "$1" timestamp with time zone NOT NULL,
    "the ""text""" text
);

CREATE TABLE public.bits (
    id bigint NOT NULL,
    title text,
    body text
);

CREATE TABLE public.halves (
    id bigint NOT NULL,
    body text
);

CREATE TABLE public.plain (
    id bigint NOT NULL,
    body text
);

ALTER TABLE ONLY "it's a ""schema"""."odd ""50%"" {$1}"
    ADD CONSTRAINT "odd ""50%"" {$1}_pkey" PRIMARY KEY (passage, "$1");

ALTER TABLE ONLY public.bits
    ADD CONSTRAINT bits_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.halves
    ADD CONSTRAINT halves_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.plain
    ADD CONSTRAINT plain_pkey PRIMARY KEY (id);

CREATE TRIGGER "pgencoder_odd ""50%"" {$1}_delete" AFTER DELETE ON "it's a ""schema"""."odd ""50%"" {$1}" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder."odd ""50%"" {$1}_changed"();

CREATE TRIGGER "pgencoder_odd ""50%"" {$1}_insert" AFTER INSERT ON "it's a ""schema"""."odd ""50%"" {$1}" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder."odd ""50%"" {$1}_changed"();

CREATE TRIGGER "pgencoder_odd ""50%"" {$1}_truncate" AFTER TRUNCATE ON "it's a ""schema"""."odd ""50%"" {$1}" FOR EACH STATEMENT EXECUTE FUNCTION pgencoder."odd ""50%"" {$1}_changed"();

CREATE TRIGGER "pgencoder_odd ""50%"" {$1}_update" AFTER UPDATE ON "it's a ""schema"""."odd ""50%"" {$1}" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder."odd ""50%"" {$1}_changed"();

CREATE TRIGGER pgencoder_bits_delete AFTER DELETE ON public.bits REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.bits_changed();

CREATE TRIGGER pgencoder_bits_insert AFTER INSERT ON public.bits REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.bits_changed();

CREATE TRIGGER pgencoder_bits_truncate AFTER TRUNCATE ON public.bits FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.bits_changed();

CREATE TRIGGER pgencoder_bits_update AFTER UPDATE ON public.bits REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.bits_changed();

CREATE TRIGGER pgencoder_halves_delete AFTER DELETE ON public.halves REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.halves_changed();

CREATE TRIGGER pgencoder_halves_insert AFTER INSERT ON public.halves REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.halves_changed();

CREATE TRIGGER pgencoder_halves_truncate AFTER TRUNCATE ON public.halves FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.halves_changed();

CREATE TRIGGER pgencoder_halves_update AFTER UPDATE ON public.halves REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.halves_changed();

CREATE TRIGGER pgencoder_plain_delete AFTER DELETE ON public.plain REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.plain_changed();

CREATE TRIGGER pgencoder_plain_insert AFTER INSERT ON public.plain REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.plain_changed();

CREATE TRIGGER pgencoder_plain_truncate AFTER TRUNCATE ON public.plain FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.plain_changed();

CREATE TRIGGER pgencoder_plain_update AFTER UPDATE ON public.plain REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pgencoder.plain_changed();
