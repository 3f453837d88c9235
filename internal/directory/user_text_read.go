package directory

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"muster/internal/sqldb"
)

const (
	// textsIdle is for how long the texts stay in memory when nobody looks for anything, and within which they must be
	// refreshed; half of the time for which user_writes is kept.
	textsIdle = 30 * time.Minute
	// mostTexts bounds the memory, to some 300 MB: in a larger directory the engines look through their tables.
	mostTexts = 4_000_000
)

// textReader reads the texts when somebody looks for something, and then, whenever somebody does again, what was
// written since.
type textReader struct {
	mu      sync.Mutex
	texts   *texts // nil: not read, or too many
	read    writeMark
	reading bool
	tooMany bool
	used    time.Time // last; also by whoever found too many
	idle    *time.Timer
}

// writeMark tells which writes of users the texts know of.
type writeMark struct {
	seq int64 // SQLite: all up to it
	// PostgreSQL: all of the transactions before tx, and those of later ones that are listed.
	tx    int64
	later []int64
}

// textsAt returns the texts as they are in the snapshot q, or a moment later. It returns nil while they are not there:
// the engine has to look itself, and they are read meanwhile.
func (d *Directory) textsAt(ctx context.Context, q sqldb.Querier) (*texts, error) {
	r := &d.search
	r.mu.Lock()
	defer r.mu.Unlock()
	// By the clock on the wall: a machine that slept wakes up with what was true before.
	idle := time.Now().Round(0).Sub(r.used) > textsIdle
	if r.texts == nil || idle {
		r.texts = nil
		if !r.reading && (!r.tooMany || idle) {
			r.reading, r.tooMany = true, false
			go d.readTexts(context.WithoutCancel(ctx))
		}
		return nil, nil
	}
	if err := r.refresh(ctx, q, d.DB); err != nil {
		return nil, fmt.Errorf("read what was written since: %w", err)
	}
	r.used = time.Now().Round(0)
	r.idle.Reset(textsIdle)
	return r.texts, nil
}

// readTexts reads all.
func (d *Directory) readTexts(ctx context.Context) {
	r, began := &d.search, time.Now()
	var all *texts
	var mark writeMark
	err := d.DB.Snapshot(ctx, func(q sqldb.Querier) (err error) {
		if mark, _, err = newWrites(ctx, q, d.DB.Engine, writeMark{}); err != nil {
			return err
		}
		b := newTextBuilder()
		if err := addTexts(ctx, q, &b, 0, 1<<62); err != nil {
			return err
		}
		all = b.build()
		return nil
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = false
	if err != nil {
		return // the next who looks for something tries again; what is wrong with the database, they hear themselves
	}
	r.used = began.Round(0)
	if r.tooMany = all.users > mostTexts; r.tooMany {
		return
	}
	r.texts, r.read = all, mark
	r.idle = time.AfterFunc(textsIdle, r.forget)
}

func (r *textReader) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = nil
}

// refresh brings the texts up to date with the snapshot. Where everybody was written, whoever asks next waits for it, and
// others with them: were they to look through the table meanwhile, all would take longer.
func (r *textReader) refresh(ctx context.Context, q sqldb.Querier, db *sqldb.DB) error {
	mark, ranges, err := newWrites(ctx, q, db.Engine, r.read)
	if err != nil {
		return err
	}
	t := r.texts
	for _, ids := range ranges {
		t, err = t.replace(ids.First, ids.End-1, func(b *textBuilder) error { return addTexts(ctx, q, b, ids.First, ids.End) })
		if err != nil {
			return err
		}
	}
	if r.tooMany = t.users > mostTexts; r.tooMany {
		t = nil
	}
	r.texts, r.read = t, mark
	return nil
}

// addTexts adds the users of a range of ids.
func addTexts(ctx context.Context, q sqldb.Querier, b *textBuilder, first, end int64) error {
	type row struct {
		ID, At                           int64
		By, Last, First, LAN, Agent, PBX sql.RawBytes
	}
	for u, err := range sqldb.Each[row](ctx, q, `SELECT id, changed_at, changed_by, last_key, first_key, lan_key, agent_key, coalesce(pbx_id, '') FROM users
		WHERE id >= $1 AND id < $2 ORDER BY id`, first, end) {
		if err != nil {
			return err
		}
		if b.users == mostTexts+1 {
			return nil
		}
		b.add(u.ID, u.At, u.By, u.Last, u.First, u.LAN, u.Agent, u.PBX)
	}
	return nil
}

// mostNotes is how many ranges of ids are noted at once at most: between them may be others, whose texts are then read again
// for nothing.
const mostNotes = 32

// noteWritten tells all processes that users of these ids were inserted, removed or changed: whoever does so in a
// transaction calls it there.
func noteWritten(ctx context.Context, tx *sqldb.Tx, ranges ...IDs) error {
	var rows rowValues
	for _, ids := range ranges {
		rows.add(ids.First, ids.End-1)
	}
	if len(ranges) > 0 {
		if _, err := tx.ExecContext(ctx, "INSERT INTO user_writes (first_id, last_id) VALUES "+rows.text(), rows.args...); err != nil {
			return fmt.Errorf("note which users were written: %w", err)
		}
	}
	// Nobody waits for another who removes the same at the moment.
	old := "at < CAST(strftime('%s', 'now') AS INTEGER) - 3600 ORDER BY at LIMIT 100"
	if tx.Engine() == sqldb.Postgres {
		old = "at < extract(epoch FROM clock_timestamp()) - 3600 ORDER BY at LIMIT 100 FOR UPDATE SKIP LOCKED"
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM user_writes WHERE seq IN (SELECT seq FROM user_writes WHERE "+old+")"); err != nil {
		return fmt.Errorf("forget which users were written an hour ago: %w", err)
	}
	return nil
}

// noteUsers is noteWritten for users by their ids, in any order.
func noteUsers(ctx context.Context, tx *sqldb.Tx, ids ...int64) error {
	return noteWritten(ctx, tx, fewRanges(slices.Sorted(slices.Values(ids)), mostNotes)...)
}

// fewRanges are at most so many ranges that hold all of the ids, which ascend, and as few others as can be.
func fewRanges(ids []int64, most int) (ranges []IDs) {
	if len(ids) == 0 {
		return nil
	}
	var gaps []int64
	for i, id := range ids[1:] {
		if gap := id - ids[i]; gap > 1 {
			gaps = append(gaps, gap)
		}
	}
	slices.Sort(gaps)
	least := int64(2) // ranges are parted at gaps as wide
	if len(gaps) >= most {
		least = gaps[len(gaps)-most+1]
		if gaps[len(gaps)-most] == least {
			least++ // too many are as wide
		}
	}
	from := ids[0]
	for i, id := range ids[1:] {
		if id-ids[i] >= least {
			ranges = append(ranges, IDs{First: from, End: ids[i] + 1})
			from = id
		}
	}
	return append(ranges, IDs{First: from, End: ids[len(ids)-1] + 1})
}

// newWrites returns the ranges of ids that were written since the mark, as the snapshot shows it, and the mark that knows of them.
func newWrites(ctx context.Context, q sqldb.Querier, e sqldb.Engine, since writeMark) (mark writeMark, ranges []IDs, err error) {
	type write struct{ Seq, First, Last, Tx int64 }
	query, from, tx := "SELECT seq, first_id, last_id, tx FROM user_writes WHERE seq > $1 ORDER BY seq", any(since.seq), int64(0)
	if e == sqldb.Postgres {
		// All transactions before this one have ended.
		if tx, _, err = sqldb.One[int64](ctx, q, "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)"); err != nil {
			return mark, nil, err
		}
		query = `SELECT seq, first_id, last_id, CAST(CAST(tx AS TEXT) AS BIGINT) FROM user_writes
			WHERE tx >= CAST(CAST($1 AS TEXT) AS XID8) ORDER BY seq`
		from = strconv.FormatInt(since.tx, 10)
	}
	mark = writeMark{seq: since.seq, tx: max(tx, since.tx)}
	for w, err := range sqldb.Each[write](ctx, q, query, from) {
		if err != nil {
			return mark, nil, err
		}
		mark.seq = max(mark.seq, w.Seq)
		if w.Tx >= mark.tx {
			mark.later = append(mark.later, w.Seq)
		}
		if !slices.Contains(since.later, w.Seq) {
			ranges = append(ranges, IDs{w.First, w.Last + 1})
		}
	}
	return mark, merged(ranges), nil
}

// merged joins ranges that overlap or touch.
func merged(ranges []IDs) (all []IDs) {
	slices.SortFunc(ranges, func(a, b IDs) int { return cmp.Compare(a.First, b.First) })
	for _, r := range ranges {
		if n := len(all); n > 0 && r.First <= all[n-1].End {
			all[n-1].End = max(all[n-1].End, r.End)
			continue
		}
		all = append(all, r)
	}
	return all
}
