-- +goose Up
-- A retired entry stays with the users who have it and is given to nobody else.
ALTER TABLE crm_names ADD COLUMN retired SMALLINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
ALTER TABLE greeting_templates ADD COLUMN retired SMALLINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
ALTER TABLE channels ADD COLUMN retired SMALLINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
ALTER TABLE features ADD COLUMN retired SMALLINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
ALTER TABLE feature_values ADD COLUMN retired SMALLINT NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));

-- When the batch's files and reports were removed because their retention had ended; 0: they are there.
ALTER TABLE batches ADD COLUMN cleared_at BIGINT NOT NULL DEFAULT 0;
