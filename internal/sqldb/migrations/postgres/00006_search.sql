-- +goose Up
-- Few people change users, and each changes many: the grid goes from one to the next along this index.
CREATE INDEX users_changed_by ON users (changed_by, id);

-- Which users were inserted, removed or renamed, by ranges of ids: what a process that holds their names and ids in
-- memory has to read again. A load writes one for each piece. What is older than an hour is removed. Transactions
-- commit in another order than they take their numbers, so that readers go by the transaction.
CREATE TABLE user_writes (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_id BIGINT NOT NULL,
    last_id  BIGINT NOT NULL,
    at       BIGINT NOT NULL DEFAULT CAST(extract(epoch FROM clock_timestamp()) AS BIGINT), -- seconds
    tx       XID8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX user_writes_at ON user_writes (at);
CREATE INDEX user_writes_tx ON user_writes (tx);
