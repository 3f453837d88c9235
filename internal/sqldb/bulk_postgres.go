package sqldb

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// copyFrom streams the rows as COPY's text format, which the server reads faster than the binary one.
func (tx *Tx) copyFrom(ctx context.Context, table string, columns []string, src Source, fixed []Fixed) (int64, error) {
	text := &copyText{src: src, width: len(columns)}
	columns = slices.Clone(columns)
	for _, f := range fixed {
		columns = append(columns, f.Column)
		text.tail = appendCopyValue(append(text.tail, '\t'), f.Value)
	}
	text.tail = append(text.tail, '\n')
	var n int64
	err := pgConn(tx.conn, func(c *pgx.Conn) error {
		tag, err := c.PgConn().CopyFrom(ctx, text, fmt.Sprintf("COPY %s (%s) FROM STDIN", table, strings.Join(columns, ", ")))
		n = tag.RowsAffected()
		return err
	})
	if text.err != nil {
		return 0, sourceError{text.err}
	}
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", table, err)
	}
	return n, nil
}

// copyText is the reader that COPY drinks from; it holds one buffer, whatever the number of rows.
type copyText struct {
	src   Source
	width int
	tail  []byte // the fixed columns and the line's end
	buf   []byte
	pos   int
	end   bool
	err   error
}

func (t *copyText) Read(p []byte) (int, error) {
	if t.pos == len(t.buf) {
		if t.err == nil && !t.end {
			t.fill()
		}
		if t.err != nil {
			return 0, t.err
		}
		if t.pos == len(t.buf) {
			return 0, io.EOF
		}
	}
	n := copy(p, t.buf[t.pos:])
	t.pos += n
	return n, nil
}

func (t *copyText) fill() {
	t.buf, t.pos = t.buf[:0], 0
	for len(t.buf) < 60<<10 {
		more, err := t.src.Next()
		if err != nil {
			t.err = err
			return
		}
		if !more {
			t.end = true
			return
		}
		for col := range t.width {
			if col > 0 {
				t.buf = append(t.buf, '\t')
			}
			t.buf = appendCopyValue(t.buf, t.src.Value(col))
		}
		t.buf = append(t.buf, t.tail...)
	}
}

func appendCopyValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, '\\', 'N')
	case int64:
		return strconv.AppendInt(b, v, 10)
	case string:
		return appendCopyString(b, v)
	}
	panic(fmt.Sprintf("sqldb: a Source yields nil, int64 or string, not %T", v))
}

func appendCopyString(b []byte, s string) []byte {
	from := 0
	for i := range len(s) {
		esc := byte(0)
		switch s[i] {
		case '\\':
			esc = '\\'
		case '\t':
			esc = 't'
		case '\n':
			esc = 'n'
		case '\r':
			esc = 'r'
		default:
			continue
		}
		b = append(b, s[from:i]...)
		b = append(b, '\\', esc)
		from = i + 1
	}
	return append(b, s[from:]...)
}
