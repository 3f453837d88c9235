package bench

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/batch"
	"muster/internal/directory"
	"muster/internal/sqldb"
)

// Load is what many people waited for while an import ran. Times are seconds, as the people's browsers see them.
type Load struct {
	People int         `json:"people"`
	Every  float64     `json:"click_every_seconds"`
	Took   float64     `json:"took_seconds"`
	During []ClickTime `json:"during_import"` // by kind, the last of them all kinds together
	Calm   []ClickTime `json:"before_and_after_import"`
	Errors int         `json:"errors"`
	Said   []string    `json:"said,omitempty"` // the first few of them
	Rows   int64       `json:"import_rows"`
	Upload float64     `json:"upload_seconds"`
	Import float64     `json:"import_seconds"` // from the last byte of the upload to the end
	Peak   int64       `json:"peak_bytes"`     // of the process
}

// allKinds is the kind of what is summed up.
const allKinds = "all of them"

// ClickTime is how long requests of one kind took.
type ClickTime struct {
	Kind    string  `json:"kind"`
	Answers int     `json:"answers"`
	P50     float64 `json:"p50_seconds"`
	P95     float64 `json:"p95_seconds"`
	P99     float64 `json:"p99_seconds"`
	Max     float64 `json:"max_seconds"`
}

// underLoad lets people click while the console imports, all in one process of Muster's as anybody would run it.
func (b *bench) underLoad(ctx context.Context, s store, p place, in *input) (*Load, error) {
	plan := b.Load.orDefault()
	h, err := openConsole(ctx, p)
	if err != nil {
		return nil, err
	}
	defer h.close()
	links, err := h.links(ctx, plan.People)
	if err != nil {
		return nil, err
	}
	g, err := newGridAsker(ctx, h.dir.As(directory.System("bench")))
	if err != nil {
		return nil, err
	}
	server, err := b.serve(ctx, p)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	b.say("%s: %d people sign in", s.engine(), plan.People)
	people, err := signInAll(ctx, server.url, links)
	if err != nil {
		return nil, err
	}
	if err := warm(in.files...); err != nil {
		return nil, err
	}
	b.say("%s: they click while %d users are imported", s.engine(), in.users)
	c := &crowd{LoadPlan: plan, users: g, began: time.Now(), over: make(chan struct{})}
	var clicking sync.WaitGroup
	for i, who := range people {
		clicking.Go(func() { c.newPerson(who, uint64(i)).live(ctx) })
	}
	l, began, ended, err := c.importUsers(ctx, h.db, people[0], in)
	if err == nil {
		err = sleep(ctx, time.Until(c.began.Add(plan.Least)))
	}
	close(c.over)
	clicking.Wait()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, server.said)
	}
	l.People, l.Every, l.Took = plan.People, plan.Click.Seconds(), time.Since(c.began).Seconds()
	c.sum(l, began, ended)
	if l.Peak, err = server.stop(); err != nil {
		return nil, err
	}
	return l, b.expect(ctx, p, c.batch.Load(), in)
}

// links are those by which so many new administrators sign in.
func (h *hosted) links(ctx context.Context, n int) ([]string, error) {
	var all []string
	for i := range n {
		l, err := h.auth.CreateAdministrator(ctx, directory.System("bench"), applicant(fmt.Sprintf("bench%03d", i)))
		if err != nil {
			return nil, err
		}
		all = append(all, l.URL(""))
	}
	return all, nil
}

// signInAll lets everybody in, a few at a time: a password takes its time.
func signInAll(ctx context.Context, base string, links []string) ([]*browser, error) {
	through := &http.Transport{MaxIdleConnsPerHost: 2 * len(links), IdleConnTimeout: time.Minute}
	people, failed := make([]*browser, len(links)), make([]error, len(links))
	var next atomic.Int64
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(links); i = int(next.Add(1)) - 1 {
				people[i] = &browser{base: base, through: through}
				failed[i] = people[i].redeem(ctx, links[i])
			}
		})
	}
	working.Wait()
	return people, errors.Join(failed...)
}

// crowd is everybody who clicks.
type crowd struct {
	LoadPlan
	users *gridAsker // what they look for
	began time.Time
	over  chan struct{} // closed when they go home
	batch atomic.Int64  // the import that runs; 0 before it is there

	mu   sync.Mutex
	done []click
}

// click is one request.
type click struct {
	kind string
	at   time.Time
	took time.Duration
	err  error
}

func (c *crowd) note(k click) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, k)
}

// importUsers uploads the files once everybody has clicked for the first time, and waits for the end of the import.
// The upload belongs to the time between began and ended.
func (c *crowd) importUsers(ctx context.Context, db *sqldb.DB, who *browser, in *input) (l *Load, began, ended time.Time, err error) {
	if err := sleep(ctx, time.Until(c.began.Add(c.Click))); err != nil {
		return nil, began, ended, err
	}
	began = time.Now()
	id, err := upload(ctx, who, in.files)
	if err != nil {
		return nil, began, ended, err
	}
	uploaded := time.Now()
	c.batch.Store(id)
	for {
		state, _, err := sqldb.One[string](ctx, db.Read(), "SELECT state FROM batches WHERE id = $1", id)
		if err != nil {
			return nil, began, ended, err
		}
		if !batch.State(state).Live() {
			break
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, began, ended, err
		}
	}
	ended = time.Now()
	l = &Load{Rows: int64(in.users), Upload: uploaded.Sub(began).Seconds(), Import: ended.Sub(uploaded).Seconds()}
	return l, began, ended, nil
}

// sum tells what was done while the import ran from what was done otherwise. What ran for a part of its time with the
// import counts as with it.
func (c *crowd) sum(l *Load, began, ended time.Time) {
	var during, calm []click
	for _, k := range c.done {
		if k.err != nil {
			l.Errors++
			if len(l.Said) < 5 {
				l.Said = append(l.Said, k.kind+": "+k.err.Error())
			}
		}
		if k.at.After(ended) || k.at.Add(k.took).Before(began) {
			calm = append(calm, k)
		} else {
			during = append(during, k)
		}
	}
	l.During, l.Calm = clickTimes(during), clickTimes(calm)
}

// clickTimes are by kind, and the last of them of all kinds together.
func clickTimes(all []click) []ClickTime {
	var times []ClickTime
	for _, kind := range kinds {
		if some := slices.DeleteFunc(slices.Clone(all), func(k click) bool { return k.kind != kind }); len(some) > 0 {
			times = append(times, clickTime(kind, some))
		}
	}
	return append(times, clickTime(allKinds, all))
}

func clickTime(kind string, clicks []click) ClickTime {
	if len(clicks) == 0 {
		return ClickTime{Kind: kind}
	}
	slices.SortFunc(clicks, func(a, b click) int { return cmp.Compare(a.took, b.took) })
	at := func(percent int) float64 { return clicks[min(len(clicks)*percent/100, len(clicks)-1)].took.Seconds() }
	return ClickTime{Kind: kind, Answers: len(clicks), P50: at(50), P95: at(95), P99: at(99), Max: at(100)}
}

// expect makes sure that the import came out as the generator knows it to.
func (b *bench) expect(ctx context.Context, p place, id int64, in *input) error {
	stdout, _, err := b.muster(ctx, p, "batches", "show", fmt.Sprint(id), "--data-dir", p.dir, "--json", "--rows", "none")
	if err != nil {
		return err
	}
	var o outcome
	if err := json.Unmarshal(stdout, &o); err != nil {
		return fmt.Errorf("read what the batch says: %w", err)
	}
	return o.expect(in, "done")
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// served is a process of muster serve.
type served struct {
	cmd  *exec.Cmd
	url  string
	said *tail
	peak func(*os.ProcessState) int64
	ends func() (int64, error)
}

var servedAt = regexp.MustCompile(`^Muster is at (\S+)$`)

// serve starts the console as a process of its own and waits until it listens.
func (b *bench) serve(ctx context.Context, p place) (*served, error) {
	s := &served{cmd: exec.CommandContext(ctx, b.Program, "serve", "--listen", "127.0.0.1:0", "--data-dir", p.dir), said: &tail{}}
	s.cmd.Env, s.cmd.Stderr = p.environ(), s.said
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.peak = watchPeak(s.cmd.Process.Pid)
	s.ends = sync.OnceValues(s.end)
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C"); {
		if m := servedAt.FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
		}
	}
	if s.url == "" {
		_, err := s.stop()
		return nil, errors.Join(errors.New("muster serve did not start"), err)
	}
	return s, nil
}

// stop ends the process as a service manager does, and returns the most memory that it held.
func (s *served) stop() (int64, error) { return s.ends() }

func (s *served) end() (int64, error) {
	err := s.cmd.Process.Signal(os.Interrupt)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if werr := s.cmd.Wait(); werr != nil {
		err = errors.Join(err, fmt.Errorf("muster serve: %w: %s", werr, s.said))
	}
	return s.peak(s.cmd.ProcessState), err
}
