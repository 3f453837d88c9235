package directory

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/sqldb"
)

// AuditQuery picks entries of the audit. The zero query picks all.
type AuditQuery struct {
	Actor   string // LAN ID of who did it, in any case; "system"
	Action  string
	Subject string // what kind of thing
	Name    string // which one; the letters A to Z in any case
	// From and To bound when it was: at From or later, before To. The zero time is no bound.
	From, To time.Time
	BatchID  int64
	UserID   int64 // the user whom it is about, whatever their LAN ID was
	After    int64 // entries older than this one, by its ID; 0: from the newest
	Limit    int   // 1 to 1,000; 0 is 50
}

// AuditPage are entries of the audit, newest first.
type AuditPage struct {
	Entries []AuditEntry
	Next    int64 // what the next page's After is; 0: these are the last
	Own     bool  // there are only entries of what the actor did themselves
	// Users are those whom the entries are about, as far as they are there and the actor may look at them.
	Users map[int64]bool
	// Things are likewise the ids of what else they are about.
	Things map[AuditThing]int64
}

// AuditThing names a role, an access role, an org unit or an entry of a catalogue, as entries do.
type AuditThing struct{ Subject, Name string }

const (
	auditLimit    = 50
	auditMost     = 1000
	auditColumns  = "at, actor, source, action, subject, name, before, after, reason, coalesce(batch_id, 0), id, coalesce(subject_id, 0)"
	systemActor   = "system"
	auditWalkSize = 500
)

// auditRow is an entry in the order of auditColumns.
type auditRow struct {
	At                                                          int64
	Actor, Source, Action, Subject, Name, Before, After, Reason string
	BatchID, ID, SubjectID                                      int64
}

func (r auditRow) entry() AuditEntry {
	return AuditEntry{At: r.At, Actor: r.Actor, Source: r.Source, Action: r.Action, Subject: r.Subject, Name: r.Name, Before: r.Before, After: r.After,
		Reason: r.Reason, BatchID: r.BatchID, ID: r.ID, SubjectID: r.SubjectID}
}

// Audit returns a page of the audit. It needs audit:access. An entry may tell of anything in the organization, so that
// all of them take an access role without limits; others see what they did themselves.
func (h *Handle) Audit(ctx context.Context, q AuditQuery) (p AuditPage, err error) {
	if err := h.actor.Need("audit:access"); err != nil {
		return p, err
	}
	p.Own = !h.seesWholeAudit()
	limit := q.Limit
	if limit <= 0 {
		limit = auditLimit
	}
	limit = min(limit, auditMost)
	p.Entries, err = h.auditEntries(ctx, q, limit+1)
	if len(p.Entries) > limit {
		p.Entries = p.Entries[:limit]
		p.Next = p.Entries[limit-1].ID
	}
	if err == nil {
		p.Users, err = h.usersThere(ctx, p.Entries)
	}
	if err == nil {
		p.Things, err = h.thingsThere(ctx, p.Entries)
	}
	return p, err
}

// thingsThere are the ids of the roles, units and entries of catalogues that the entries are about and that the actor may
// look at.
func (h *Handle) thingsThere(ctx context.Context, entries []AuditEntry) (map[AuditThing]int64, error) {
	there, asked := map[AuditThing]int64{}, map[AuditThing]bool{}
	for _, e := range entries {
		asked[AuditThing{e.Subject, e.Name}] = true
	}
	var k *known
	err := h.dir.DB.Snapshot(ctx, func(q sqldb.Querier) (err error) {
		k, err = h.dir.knownAt(ctx, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, of := range []struct {
		subject string
		right   Right
		names   map[int64]string
	}{
		{"role", "roles:access", k.roles}, {"access-role", "access-roles:access", k.accessRoles}, {"org-unit", "org-units:access", k.units},
		{"crm-name", "catalogues:access", k.crmNames}, {"greeting-template", "catalogues:access", k.greetings},
		{"channel", "catalogues:access", k.channels}, {"feature", "catalogues:access", k.features},
	} {
		if !h.actor.Can(of.right) {
			continue
		}
		for id, name := range of.names {
			if thing := (AuditThing{of.subject, name}); asked[thing] {
				there[thing] = id
			}
		}
	}
	return there, nil
}

// usersThere are the users whom the entries are about and whom the actor may look at.
func (h *Handle) usersThere(ctx context.Context, entries []AuditEntry) (map[int64]bool, error) {
	there := map[int64]bool{}
	var ids []string
	for _, e := range entries {
		if e.SubjectID != 0 {
			ids = append(ids, strconv.FormatInt(e.SubjectID, 10))
		}
	}
	if len(ids) == 0 || !h.actor.Can("users:access") {
		return there, nil
	}
	type row struct {
		ID   int64
		Path string
	}
	all, err := sqldb.All[row](ctx, h.dir.DB.Read(), `SELECT u.id, coalesce(o.path, '') FROM `+h.dir.DB.Keys+` AS k
		CROSS JOIN users u LEFT JOIN org_units o ON o.id = u.org_unit_id WHERE u.id = CAST(k.key AS BIGINT)`, h.dir.DB.KeySet(ids))
	if err != nil {
		return nil, fmt.Errorf("read whom the audit is about: %w", err)
	}
	for _, u := range all {
		if h.actor.scope.Contains(u.Path) {
			there[u.ID] = true
		}
	}
	return there, nil
}

// CountAudit counts all entries that the query picks, whatever its After and Limit. It needs what [Handle.Audit] needs.
func (h *Handle) CountAudit(ctx context.Context, q AuditQuery) (int64, error) {
	if err := h.actor.Need("audit:access"); err != nil {
		return 0, err
	}
	c := h.auditConditions(q)
	n, _, err := sqldb.One[int64](ctx, h.dir.DB.Read(), "SELECT count(*) FROM audit"+c.where(), c.args...)
	if err != nil {
		return 0, fmt.Errorf("count the audit: %w", err)
	}
	return n, nil
}

// WalkAudit hands out everything that the query picks, newest first, a few hundred entries at a time: memory does not
// grow with the audit. It needs what [Handle.Audit] needs.
func (h *Handle) WalkAudit(ctx context.Context, q AuditQuery, page func([]AuditEntry) error) error {
	if err := h.actor.Need("audit:access"); err != nil {
		return err
	}
	for {
		entries, err := h.auditEntries(ctx, q, auditWalkSize)
		if err != nil {
			return err
		}
		if err := page(entries); err != nil || len(entries) < auditWalkSize {
			return err
		}
		q.After = entries[len(entries)-1].ID
	}
}

// AuditWords are the actions and the kinds of things that the audit tells of, for those who choose. It needs
// audit:access.
func (h *Handle) AuditWords(ctx context.Context) (actions, subjects []string, err error) {
	if err := h.actor.Need("audit:access"); err != nil {
		return nil, nil, err
	}
	for _, w := range []struct {
		column string
		into   *[]string
	}{{"action", &actions}, {"subject", &subjects}} {
		// From one to the next along the index: a handful of steps, however long the audit.
		*w.into, err = sqldb.All[string](ctx, h.dir.DB.Read(), strings.ReplaceAll(`
			WITH RECURSIVE w (word) AS (
				SELECT min(COL) FROM audit
				UNION ALL
				SELECT (SELECT min(a.COL) FROM audit a WHERE a.COL > w.word) FROM w WHERE w.word IS NOT NULL
			)
			SELECT word FROM w WHERE word IS NOT NULL LIMIT 200`, "COL", w.column))
		if err != nil {
			return nil, nil, fmt.Errorf("read what the audit tells of: %w", err)
		}
	}
	return actions, subjects, nil
}

func (h *Handle) seesWholeAudit() bool { return h.actor.system || h.actor.scope.everywhere }

func (h *Handle) auditEntries(ctx context.Context, q AuditQuery, limit int) ([]AuditEntry, error) {
	c := h.auditConditions(q)
	if q.After > 0 {
		// Entries never change, so that an entry's number says when it was.
		at, found, err := sqldb.One[int64](ctx, h.dir.DB.Read(), "SELECT at FROM audit WHERE id = $1", q.After)
		if err != nil || !found {
			return nil, err
		}
		c.add("(at, id) < (%s, %s)", at, q.After)
	}
	c.args = append(c.args, limit)
	var all []AuditEntry
	for r, err := range sqldb.Each[auditRow](ctx, h.dir.DB.Read(), fmt.Sprintf("SELECT %s FROM audit%s ORDER BY at DESC, id DESC LIMIT $%d",
		auditColumns, c.where(), len(c.args)), c.args...) {
		if err != nil {
			return nil, fmt.Errorf("read the audit: %w", err)
		}
		all = append(all, r.entry())
	}
	return all, nil
}

// auditConditions are the query as SQL, within what the actor may see.
func (h *Handle) auditConditions(q AuditQuery) *auditWhere {
	c := &auditWhere{}
	if !h.seesWholeAudit() {
		// The system's name is nobody's: a user who is called so sees nothing of it.
		if h.actor.name == "" || h.actor.name == systemActor {
			c.none()
		}
		c.add("lower(actor) = %s AND actor = %s", lowerASCII(h.actor.name), h.actor.name)
	}
	for _, text := range []struct {
		condition, value string
	}{
		{"lower(actor) = %s", lowerASCII(q.Actor)}, {"action = %s", q.Action}, {"subject = %s", q.Subject}, {"lower(name) = %s", lowerASCII(q.Name)},
	} {
		switch {
		case text.value == "":
		case !utf8.ValidString(text.value) || strings.ContainsRune(text.value, 0):
			c.none() // no text that the database could hold
		default:
			c.add(text.condition, text.value)
		}
	}
	if q.BatchID != 0 {
		c.add("batch_id = %s", q.BatchID)
	}
	if q.UserID != 0 {
		c.add("subject_id = %s", q.UserID)
	}
	if !q.From.IsZero() {
		c.add("at >= %s", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		c.add("at < %s", q.To.UnixMicro())
	}
	return c
}

// auditWhere are conditions joined by AND, with their parameters.
type auditWhere struct {
	all  []string
	args []any
}

func (c *auditWhere) add(condition string, args ...any) {
	places := make([]any, len(args))
	for i, arg := range args {
		c.args = append(c.args, arg)
		places[i] = fmt.Sprintf("$%d", len(c.args))
	}
	c.all = append(c.all, fmt.Sprintf(condition, places...))
}

// none makes that nothing is picked.
func (c *auditWhere) none() { c.all = append(c.all, "1 = 0") }

func (c *auditWhere) where() string {
	if len(c.all) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.all, " AND ")
}

// lowerASCII folds what the databases' lower() folds alike, whatever their locale.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
