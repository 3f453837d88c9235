package userimport_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"

	"muster/internal/batch"
	"muster/internal/blob"
	"muster/internal/directory"
	"muster/internal/sample"
	"muster/internal/setup"
	"muster/internal/sqldb"
	"muster/internal/userimport"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if os.Getenv("SMOKE_DIR") != "" {
		dir = os.Getenv("SMOKE_DIR")
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Dir: dir, URL: os.Getenv("SMOKE_PG")})
	if err != nil {
		t.Fatal(err)
	}
	d := directory.New(db)
	if err := d.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	cfg, err := setup.Parse(sample.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.As(directory.System("cli")).ApplyConfiguration(ctx, cfg, directory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	e := &batch.Engine{DB: db, Directory: d, Blobs: &blob.Disk{Dir: filepath.Join(dir, "blobs")}, Scratch: filepath.Join(dir, "scratch"),
		Operations: map[string]batch.Operation{userimport.Action: &userimport.Operation{}}, MaxUpload: 1 << 31,
		Actor: func(_ context.Context, _, s string) (directory.Actor, error) { return directory.System(s), nil }}
	n, _ := strconv.Atoi(os.Getenv("SMOKE_N"))
	f := sample.Demo()
	var in []batch.Input
	add := func(name string, b []byte) {
		in = append(in, batch.Input{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }})
	}
	if n > 0 {
		var u, c, ft bytes.Buffer
		exp, err := sample.Generate(sample.Spec{Users: n, Seed: 1}, &u, &c, &ft)
		if err != nil {
			t.Fatal(err)
		}
		f = sample.Files{Users: u.Bytes(), Channels: c.Bytes(), Features: ft.Bytes(), Expected: exp}
	}
	add("UserDetails.csv", f.Users)
	add("ChannelCountDetails.csv", f.Channels)
	add("FeatureDetails.csv", f.Features)
	for _, preview := range []bool{false} {
		if p := os.Getenv("SMOKE_PROF"); p != "" && !preview {
			pf, _ := os.Create(p)
			pprof.StartCPUProfile(pf)
		}
		t0 := time.Now()
		b, err := e.Create(ctx, directory.System("cli"), batch.Spec{Action: userimport.Action, Options: userimport.Options{InFileSupervisors: true, Preview: preview}, Inputs: in})
		if err != nil {
			t.Fatal(err)
		}
		t1 := time.Now()
		last := ""
		b, err = e.Execute(ctx, b.ID, func(b *batch.Batch) {
			if b.Phase != last {
				fmt.Println(time.Since(t1), b.State, b.Phase, b.Done, b.Total)
				last = b.Phase
			}
		})
		fmt.Println("freeze", t1.Sub(t0), "run", time.Since(t1), err)
		pprof.StopCPUProfile()
		if b != nil {
			fmt.Println(b.State, b.Counts, b.Reason, b.FileProblems)
			cs, _ := e.Codes(ctx, directory.System("cli"), b)
			fmt.Println(cs)
			for _, c := range cs {
				if int64(f.Expected.Codes[c.Code]) != c.Problems {
					t.Errorf("%s: %d, want %d", c.Code, c.Problems, f.Expected.Codes[c.Code])
				}
			}
		}
		fmt.Println(f.Expected)
		if n == 0 {
			for en, err := range e.Entries(ctx, directory.System("cli"), b, batch.Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range en.Problems {
					fmt.Println(en.Row, en.LANID, en.Outcome, p.File, p.Row, p.Code, p.Message, p.Suggestion)
				}
			}
		}
		if !preview && n > 0 {
			t2 := time.Now()
			pf, _ := os.Create("/tmp/undo.prof"); pprof.StartCPUProfile(pf)
			if err := e.Undo(ctx, directory.System("cli"), b.ID); err != nil {
				t.Fatal(err)
			}
			b, err = e.Execute(ctx, b.ID, nil)
			pprof.StopCPUProfile()
			fmt.Println("undo", time.Since(t2), b.State, b.Undone, err)
		}
	}
}
