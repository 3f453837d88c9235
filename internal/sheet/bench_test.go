package sheet_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"

	"muster/internal/sheet"
)

const benchRows = 200_000

// benchFile is a file of users: 12 columns, some 110 bytes a row.
func benchFile(end, name string) []byte {
	var b bytes.Buffer
	b.WriteString("LAN ID,First Name,Last Name,Agent ID,PBX ID,Profile,Supervisor,Org Unit,Role,Access Role,CRM Name,Greeting" + end)
	for i := range benchRows {
		fmt.Fprintf(&b, "agent%07d,%s,Lastname%d,agent%07d,%07d,Agent,super%05d,Team %04d,Agent role,Own unit,CRM A,Greeting 1%s",
			i, name, i%5000, i, i, i%5000, i%800, end)
	}
	return b.Bytes()
}

// BenchmarkReader measures MB/s of the file. "bare" is encoding/csv alone: the most there can be.
func BenchmarkReader(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		data := benchFile("\n", "Firstname")
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			r := csv.NewReader(bufio.NewReaderSize(bytes.NewReader(data), 1<<20))
			r.ReuseRecord = true
			for err := error(nil); err != io.EOF; {
				_, err = r.Read()
			}
		}
	})
	ansi := "Andr\xE9"
	for name, data := range map[string][]byte{
		"ascii LF":     benchFile("\n", "Firstname"),
		"ascii CRLF":   benchFile("\r\n", "Firstname"),
		"utf8 CRLF":    benchFile("\r\n", "André"),
		"windows-1252": benchFile("\r\n", ansi),
	} {
		b.Run(name, func(b *testing.B) { benchRead(b, data, benchRows) })
	}
}

func BenchmarkXLSX(b *testing.B) {
	const rows = 20_000
	table := make([][]any, 0, rows+1)
	for line := range strings.Lines(string(benchFile("\n", "André"))) {
		if len(table) <= rows {
			var cells []any
			for s := range strings.SplitSeq(strings.TrimSpace(line), ",") {
				cells = append(cells, s)
			}
			table = append(table, cells)
		}
	}
	data := workbook(b, "S", table)
	benchRead(b, data, rows)
}

func benchRead(b *testing.B, data []byte, want int) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := sheet.Open(bytes.NewReader(data), int64(len(data)), "bench", sheet.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for ; err == nil; n++ {
			_, err = r.Next()
		}
		if err != io.EOF || n-1 != want {
			b.Fatal(n, err)
		}
		_ = r.Close()
	}
	b.ReportMetric(float64(want)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
