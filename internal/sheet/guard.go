package sheet

import (
	"bytes"
	"io"
)

// guard stands between the decoded text and encoding/csv. It makes a lone CR a line break, notes NUL
// bytes, and ends the text where a row does not end, because encoding/csv would go on collecting it.
type guard struct {
	src      io.Reader
	rowLimit int64 // bytes that may be handed out beyond the last finished row
	rowStart int64 // offset behind the last finished row; the owner moves it
	out      int64 // bytes handed out
	text     int64 // offset behind the last byte handed out that is no line break
	broke    bool  // the last byte read was a CR, handed out as LF
	nul      bool  // a NUL has been handed out
	cut      bool  // the text was ended early: the row that ends here is not whole
}

// Read ends the text with io.EOF, not with an error, when a row is too long: encoding/csv then
// tells where that row began and whether it is an open quotation that made it long.
func (g *guard) Read(p []byte) (int, error) {
	if g.text <= g.rowStart {
		g.rowStart = g.out // only blank lines since: they belong to no row
	}
	if g.out-g.rowStart > g.rowLimit {
		g.cut = true
	}
	if g.cut {
		return 0, io.EOF
	}
	n, err := g.fill(p)
	if bytes.IndexByte(p[:n], 0) >= 0 {
		g.nul = true
	}
	if k := len(bytes.TrimRight(p[:n], "\n\r")); k > 0 {
		g.text = g.out + int64(k)
	}
	g.out += int64(n)
	return n, err
}

// fill reads into p and turns each CR that no LF follows into LF. A CR at the end of what was read
// becomes LF at once; should its LF come next, that one is dropped.
func (g *guard) fill(p []byte) (int, error) {
	for {
		n, err := g.src.Read(p)
		if g.broke && n > 0 && p[0] == '\n' {
			n = copy(p, p[1:n])
			g.broke = false
		}
		if n > 0 {
			g.broke = p[n-1] == '\r'
			breakLines(p[:n])
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func breakLines(b []byte) {
	for i := 0; ; i++ {
		j := bytes.IndexByte(b[i:], '\r')
		if j < 0 {
			return
		}
		if i += j; i+1 == len(b) || b[i+1] != '\n' {
			b[i] = '\n'
		}
	}
}
