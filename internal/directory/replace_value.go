package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"muster/internal/fault"
	"muster/internal/sqldb"
)

// Definition is a value that was deleted, as the tables had it: what an undo makes it from again.
type Definition struct {
	ID    int64             `json:"id"`
	Name  string            `json:"name"`
	Audit string            `json:"audit"` // as the audit shows it
	Parts []DefinitionTable `json:"parts"`
}

// DefinitionTable is the rows of a definition in one table.
type DefinitionTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"` // text, whole numbers and nulls
}

// DeleteValue deletes From, and returns what it was; nil where somebody has it. It must run in a [sqldb.DB.BulkTx], after
// Begin, which is of no use for anything afterwards: the configuration is another.
func (p *Replacing) DeleteValue(ctx context.Context, tx *sqldb.Tx, s Stamp) (*Definition, error) {
	held, err := p.held(ctx, tx)
	if err != nil || held {
		return nil, err
	}
	d, err := p.define(ctx, tx)
	if err != nil {
		return nil, err
	}
	// What belongs to it first: on a load's connection nothing cascades.
	for i := len(d.Parts) - 1; i >= 0; i-- {
		key := p.table.key
		if i == 0 {
			key = "id"
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = $1", d.Parts[i].Table, key), p.From); err != nil {
			return nil, fmt.Errorf("delete the %s: %w", p.table.noun, err)
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE directory_revision SET revision = revision + 1"); err != nil {
		return nil, err
	}
	return d, p.handle.audit(ctx, tx, AuditEntry{Action: string(OpDelete), Subject: string(p.Kind), Name: d.Name, Before: d.Audit, BatchID: s.BatchID})
}

// held tells whether anybody has From.
func (p *Replacing) held(ctx context.Context, q sqldb.Querier) (bool, error) {
	query := "SELECT 1 FROM users WHERE " + p.table.column + " = $1 LIMIT 1"
	if p.table.column == "" {
		query = "SELECT 1 FROM user_roles WHERE role_id = $1 LIMIT 1"
	}
	_, found, err := sqldb.One[int](ctx, q, query, p.From)
	return found, err
}

// define reads From as it is.
func (p *Replacing) define(ctx context.Context, q sqldb.Querier) (*Definition, error) {
	cfg, err := LoadConfiguration(ctx, q)
	if err != nil {
		return nil, err
	}
	d := &Definition{ID: p.From, Name: cfg.valueName(p.Kind, p.From), Audit: auditJSON(cfg.valueAttributes(p.Kind, p.From))}
	for i, table := range append([]string{p.table.table}, p.table.parts...) {
		key := p.table.key
		if i == 0 {
			key = "id"
		}
		part, err := readPart(ctx, q, table, key, p.From)
		if err != nil {
			return nil, fmt.Errorf("read the %s: %w", p.table.noun, err)
		}
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}

// valueAttributes are what the audit says of a value.
func (c *Configuration) valueAttributes(k ValueKind, id int64) []attribute {
	switch k {
	case RoleValue:
		return attributesOf(roleEntity, c.Roles, id)
	case AccessRoleValue:
		return attributesOf((&changePlan{}).accessRoleEntity(), c.AccessRoles, id)
	case CRMNameValue:
		return attributesOf(crmNameEntity, c.AllCRMNames(), id)
	}
	return attributesOf(greetingTemplateEntity, c.AllGreetingTemplates(), id)
}

func attributesOf[T any](e entity[T], all []T, id int64) []attribute {
	for i := range all {
		if have, name := e.key(&all[i]); *have == id {
			return append([]attribute{{"name", *name}}, e.attributes(all[i])...)
		}
	}
	return nil
}

func readPart(ctx context.Context, q sqldb.Querier, table, key string, id int64) (DefinitionTable, error) {
	part := DefinitionTable{Table: table}
	rows, err := q.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s WHERE %s = $1", table, key), id)
	if err != nil {
		return part, err
	}
	defer rows.Close()
	if part.Columns, err = rows.Columns(); err != nil {
		return part, err
	}
	for rows.Next() {
		row, into := make([]any, len(part.Columns)), make([]any, len(part.Columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return part, err
		}
		part.Rows = append(part.Rows, row)
	}
	return part, rows.Err()
}

// UnmarshalJSON reads numbers as whole ones.
func (t *DefinitionTable) UnmarshalJSON(b []byte) error {
	type plain DefinitionTable
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode((*plain)(t)); err != nil {
		return err
	}
	for _, row := range t.Rows {
		for i, v := range row {
			n, is := v.(json.Number)
			if !is {
				continue
			}
			whole, err := n.Int64()
			if err != nil {
				return err
			}
			row[i] = whole
		}
	}
	return nil
}

// BringBack makes a deleted value again, with its definition and, unless another has it by now, its id, which it
// returns. Where another has its name by now, that is a Conflict. It needs what the deletion needed; that the actor may
// give such a value is judged afterwards, in the same transaction, by [Handle.PrepareRestoring].
func (h *Handle) BringBack(ctx context.Context, tx *sqldb.Tx, r Replacement, d *Definition, batchID int64) (id int64, err error) {
	if err := h.actor.Need(r.Needs()...); err != nil {
		return 0, err
	}
	if err := everywhereOnly(h.actor); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, lockConfiguration); err != nil {
		return 0, err
	}
	t := valueTables[r.Kind]
	if _, taken, err := sqldb.One[int64](ctx, tx, "SELECT id FROM "+t.table+" WHERE name = $1", d.Name); err != nil || taken {
		if err == nil {
			err = fault.New(fault.Conflict, "there is a %s %q again, so the deleted one cannot come back; rename that one, then undo once more", t.noun, d.Name)
		}
		return 0, err
	}
	if id, err = t.freeID(ctx, tx, d.ID); err != nil {
		return 0, err
	}
	for i, part := range d.Parts {
		key := t.key
		if i == 0 {
			key = "id"
		}
		if err := insertPart(ctx, tx, part, key, id); err != nil {
			return 0, fmt.Errorf("bring the %s back: %w", t.noun, err)
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE directory_revision SET revision = revision + 1"); err != nil {
		return 0, err
	}
	return id, h.audit(ctx, tx, AuditEntry{Action: string(OpCreate), Subject: string(r.Kind), Name: d.Name, After: d.Audit, BatchID: batchID})
}

// freeID is the id wanted, or another where it is taken: the engine gives the last one's id again.
func (t valueTable) freeID(ctx context.Context, q sqldb.Querier, want int64) (int64, error) {
	_, taken, err := sqldb.One[int64](ctx, q, "SELECT id FROM "+t.table+" WHERE id = $1", want)
	if err != nil || !taken {
		return want, err
	}
	if q, is := q.(*sqldb.Tx); is && q.Engine() == sqldb.Postgres {
		n, _, err := sqldb.One[int64](ctx, q, "SELECT nextval(pg_get_serial_sequence($1, 'id'))", t.table)
		return n, err
	}
	n, _, err := sqldb.One[int64](ctx, q, "SELECT max(id) + 1 FROM "+t.table)
	return n, err
}

// insertPart writes the rows of a table, of which key is the value's id. Rows that refer to an org unit that is there no
// longer are left out.
func insertPart(ctx context.Context, tx *sqldb.Tx, part DefinitionTable, key string, id int64) error {
	places := make([]string, len(part.Columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", part.Table, strings.Join(part.Columns, ", "), strings.Join(places, ", "))
	for _, row := range part.Rows {
		values := append([]any{}, row...)
		there := true
		for i, column := range part.Columns {
			switch column {
			case key:
				values[i] = id
			case "org_unit_id":
				var err error
				if _, there, err = sqldb.One[int64](ctx, tx, "SELECT id FROM org_units WHERE id = $1", values[i]); err != nil {
					return err
				}
			}
		}
		if !there {
			continue
		}
		if _, err := tx.ExecContext(ctx, query, values...); err != nil {
			return err
		}
	}
	return nil
}
