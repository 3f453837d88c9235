package sqldb

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"modernc.org/sqlite/vtab"
)

// Modules must be registered before the first connection is opened; one module serves all sources, which are found
// by the number that the statement's parameter gives.
func init() {
	if err := vtab.RegisterModule(nil, "muster_feed", feedModule{}); err != nil {
		panic("sqldb: " + err.Error())
	}
}

type feed struct {
	id  int64
	src Source
	err error // what the source said; SQLite itself only learns that it failed
}

// feedSet holds the sources that statements are reading from just now.
type feedSet struct {
	mu   sync.Mutex
	next int64
	open map[int64]*feed
}

var feeds = feedSet{open: map[int64]*feed{}}

func (s *feedSet) add(src Source) (f *feed, done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	f = &feed{id: s.next, src: src}
	s.open[f.id] = f
	return f, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, f.id)
	}
}

func (s *feedSet) get(id int64) *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[id]
}

type feedModule struct{}

func (m feedModule) Create(ctx vtab.Context, args []string) (vtab.Table, error) {
	return m.Connect(ctx, args)
}

// Connect declares the columns that the statement named, and one more, hidden, that selects the source. The first
// three arguments are SQLite's own: module, database and table.
func (feedModule) Connect(ctx vtab.Context, args []string) (vtab.Table, error) {
	columns := args[3:]
	decl := fmt.Sprintf("CREATE TABLE x (%s, feed HIDDEN)", strings.Join(columns, ", "))
	return feedTable{hidden: len(columns)}, ctx.Declare(decl)
}

type feedTable struct{ hidden int }

var errNoFeed = errors.New("a feed is read by its number")

func (t feedTable) BestIndex(info *vtab.IndexInfo) error {
	for i := range info.Constraints {
		c := &info.Constraints[i]
		if c.Column == t.hidden && c.Op == vtab.OpEQ && c.Usable {
			c.ArgIndex, c.Omit = 0, true
			info.EstimatedCost, info.EstimatedRows = 1, 10_000
			return nil
		}
	}
	return errNoFeed
}

func (t feedTable) Open() (vtab.Cursor, error) { return &feedCursor{}, nil }
func (t feedTable) Disconnect() error          { return nil }
func (t feedTable) Destroy() error             { return nil }

type feedCursor struct {
	feed *feed
	row  int64
	end  bool
}

func (c *feedCursor) Filter(_ int, _ string, vals []vtab.Value) error {
	id, _ := vals[0].(int64)
	if c.feed = feeds.get(id); c.feed == nil {
		return errNoFeed
	}
	return c.Next()
}

func (c *feedCursor) Next() error {
	more, err := c.feed.src.Next()
	if err != nil {
		c.feed.err = err
		return err
	}
	c.end = !more
	c.row++
	return nil
}

func (c *feedCursor) Eof() bool                          { return c.end }
func (c *feedCursor) Column(col int) (vtab.Value, error) { return c.feed.src.Value(col), nil }
func (c *feedCursor) Rowid() (int64, error)              { return c.row, nil }
func (c *feedCursor) Close() error                       { return nil }
