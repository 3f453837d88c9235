-- +goose Up
-- Times are whole microseconds since 1970, UTC. *_key columns hold the folded (lower-case) form of an id.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: raised by every change of a role, access role, org unit, level, catalogue or setting, so that a
-- check that was made against an older state is recognised as such. people is raised, apart from it, by whatever
-- removes a user or makes somebody unfit to be a supervisor.
CREATE TABLE directory_revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL,
    people   INTEGER NOT NULL
) STRICT;
INSERT INTO directory_revision (only_row, revision, people) VALUES (1, 1, 1);

-- Ids of users are given out in blocks, so that a batch knows the id of each of its rows before it writes one.
CREATE TABLE user_ids (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_id  INTEGER NOT NULL
) STRICT;
INSERT INTO user_ids (only_row, next_id) VALUES (1, 1);

CREATE TABLE org_levels (
    position INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE
) STRICT;

-- path is the chain of ids from the top, each followed by a slash ("4/17/"), so that a unit with everything
-- below it is one range of the index on path. full_name is the same chain in names ("UAE / Retail").
CREATE TABLE org_units (
    id        INTEGER PRIMARY KEY,
    parent_id INTEGER REFERENCES org_units (id),
    name      TEXT NOT NULL,
    full_name TEXT NOT NULL,
    depth     INTEGER NOT NULL CHECK (depth >= 1),
    path      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX org_units_path ON org_units (path);
CREATE UNIQUE INDEX org_units_full_name ON org_units (full_name);
CREATE UNIQUE INDEX org_units_sibling ON org_units (coalesce(parent_id, 0), name);
CREATE INDEX org_units_name ON org_units (name);
CREATE INDEX org_units_parent ON org_units (parent_id);

CREATE TABLE roles (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE role_rights (
    role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    module  TEXT NOT NULL,
    action  TEXT NOT NULL,
    PRIMARY KEY (role_id, module, action)
) STRICT, WITHOUT ROWID;
CREATE TABLE role_rules (
    role_id       INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    rule          TEXT NOT NULL,
    action        TEXT NOT NULL,
    delay_seconds INTEGER NOT NULL CHECK (delay_seconds >= 0),
    PRIMARY KEY (role_id, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_roles (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('own-unit', 'own-unit-and-below', 'units', 'everywhere'))
) STRICT;
CREATE TABLE access_role_units (
    access_role_id INTEGER NOT NULL REFERENCES access_roles (id) ON DELETE CASCADE,
    org_unit_id    INTEGER NOT NULL REFERENCES org_units (id),
    PRIMARY KEY (access_role_id, org_unit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_role_units_unit ON access_role_units (org_unit_id);

CREATE TABLE crm_names (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE greeting_templates (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE channels (
    id            INTEGER PRIMARY KEY,
    position      INTEGER NOT NULL,
    name          TEXT NOT NULL UNIQUE,
    default_count INTEGER NOT NULL CHECK (default_count >= 0),
    highest_count INTEGER NOT NULL CHECK (highest_count >= default_count)
) STRICT;
CREATE TABLE features (
    id            INTEGER PRIMARY KEY,
    position      INTEGER NOT NULL,
    name          TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL CHECK (kind IN ('switch', 'list')),
    default_value TEXT NOT NULL
) STRICT;
CREATE TABLE feature_values (
    feature_id INTEGER NOT NULL REFERENCES features (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (feature_id, position)
) STRICT, WITHOUT ROWID;

-- profile: 1 Administrator, 2 Supervisor, 3 Agent.
CREATE TABLE users (
    id                   INTEGER PRIMARY KEY,
    lan_id               TEXT NOT NULL,
    lan_key              TEXT NOT NULL,
    first_name           TEXT NOT NULL,
    last_name            TEXT NOT NULL,
    agent_id             TEXT NOT NULL,
    agent_key            TEXT NOT NULL,
    pbx_id               TEXT,
    profile              INTEGER NOT NULL CHECK (profile BETWEEN 1 AND 3),
    supervisor_id        INTEGER REFERENCES users (id),
    org_unit_id          INTEGER REFERENCES org_units (id),
    access_role_id       INTEGER REFERENCES access_roles (id),
    crm_name_id          INTEGER REFERENCES crm_names (id),
    greeting_template_id INTEGER REFERENCES greeting_templates (id),
    email                TEXT,
    picture              TEXT,
    active               INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    changed_by           TEXT NOT NULL,
    changed_at           INTEGER NOT NULL,
    batch_id             INTEGER,
    version              INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX users_lan_key ON users (lan_key);
CREATE UNIQUE INDEX users_agent_key ON users (agent_key);
CREATE UNIQUE INDEX users_pbx_id ON users (pbx_id);
CREATE INDEX users_supervisor ON users (supervisor_id);
CREATE INDEX users_org_unit ON users (org_unit_id);

CREATE TABLE user_roles (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_roles_role ON user_roles (role_id, user_id);

-- Only what differs from the catalogue's default.
CREATE TABLE user_channels (
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    count      INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (user_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE user_features (
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    feature_id INTEGER NOT NULL REFERENCES features (id),
    value      TEXT NOT NULL,
    PRIMARY KEY (user_id, feature_id)
) STRICT, WITHOUT ROWID;

-- before and after are JSON objects of what changed; empty where there was or is nothing.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    source   TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    name     TEXT NOT NULL,
    before   TEXT NOT NULL DEFAULT '',
    after    TEXT NOT NULL DEFAULT '',
    reason   TEXT NOT NULL DEFAULT '',
    batch_id INTEGER
) STRICT;
CREATE INDEX audit_subject ON audit (subject, name, id);

-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
-- +goose StatementEnd
