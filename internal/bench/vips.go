package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"muster/internal/fault"
	"muster/internal/photo"
)

// vipsFiles is how many files vipsthumbnail is given at once: as many as fit on any command line.
const vipsFiles = 1000

// needVips looks for vipsthumbnail.
func needVips() error {
	if _, err := exec.LookPath("vipsthumbnail"); err != nil {
		return fault.New(fault.Invalid, "vipsthumbnail, beside which pictures are measured, is not in PATH; install it (Debian: apt-get install libvips-tools), or leave pictures out with --part")
	}
	return nil
}

func vipsVersion(ctx context.Context) (string, error) {
	return tool(exec.CommandContext(ctx, "vipsthumbnail", "--version"))
}

// byVips has vipsthumbnail make both square pictures of all files, and returns the seconds that it took. There is a
// process for each core, with its share of the files and one thread: with one process for all, which spreads each
// picture over its threads, small pictures take longer.
func (f *pictureFiles) byVips(ctx context.Context) (float64, error) {
	out := f.dir + "-vips"
	if err := os.MkdirAll(out, 0o700); err != nil {
		return 0, err
	}
	defer os.RemoveAll(out)
	shares := make([][]string, runtime.NumCPU())
	for i, name := range f.names {
		shares[i%len(shares)] = append(shares[i%len(shares)], name)
	}
	errs := make(chan error, len(shares))
	began := time.Now()
	for _, share := range shares {
		go func() { errs <- f.thumbnails(ctx, share, out) }()
	}
	var err error
	for range shares {
		err = errors.Join(err, <-errs)
	}
	took := time.Since(began).Seconds()
	if err != nil {
		return 0, err
	}
	made, err := filepath.Glob(filepath.Join(out, "*.jpg"))
	if err == nil && len(made) != 2*len(f.names) {
		err = fmt.Errorf("vipsthumbnail made %d pictures of %d", len(made), len(f.names))
	}
	return took, err
}

func (f *pictureFiles) thumbnails(ctx context.Context, names []string, out string) error {
	for some := range slices.Chunk(names, vipsFiles) {
		for _, side := range []int{photo.LargeSide, photo.SmallSide} {
			args := []string{"--size", fmt.Sprintf("%dx%d", side, side), "--smartcrop", "centre", "-o", fmt.Sprintf("%s/%%s-%d.jpg[Q=85,strip]", out, side)}
			cmd := exec.CommandContext(ctx, "vipsthumbnail", append(args, some...)...)
			cmd.Dir, cmd.Env = f.dir, append(os.Environ(), "VIPS_CONCURRENCY=1")
			if said, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("vipsthumbnail: %w: %s", err, strings.TrimSpace(string(said)))
			}
		}
	}
	return nil
}

// remove takes the files away.
func (f *pictureFiles) remove() {
	os.RemoveAll(f.dir)
	os.Remove(f.zip)
}
