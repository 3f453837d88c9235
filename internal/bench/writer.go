package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/sqldb"
)

// writerPause is between two of the other user's writes.
const writerPause = 20 * time.Millisecond

// Waits is how long another user's writes took while an import ran.
type Waits struct {
	Writes int     `json:"writes"`
	Median float64 `json:"median_seconds"`
	P99    float64 `json:"p99_seconds"`
	Max    float64 `json:"max_seconds"`
}

// disturb writes as another user would, from this process, until stop is called: one small transaction, a pause, the
// next. It changes a user where there is one already, otherwise a setting that nobody reads.
func disturb(ctx context.Context, p place) (stop func() (Waits, error), err error) {
	db, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	write := "INSERT INTO settings (name, value) VALUES ('bench', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	someone, found, err := sqldb.One[int64](ctx, db.Read(), "SELECT id FROM users ORDER BY id LIMIT 1")
	if err != nil {
		db.Close()
		return nil, err
	}
	if found {
		write = fmt.Sprintf("UPDATE users SET greeting_template_id = NULL, changed_by = $1, version = version + 1 WHERE id = %d", someone)
	}
	ended, result := make(chan struct{}), make(chan error)
	var took []float64
	go func() {
		for i := 0; ; i++ {
			began := time.Now()
			err := db.Tx(ctx, func(tx *sqldb.Tx) error {
				_, err := tx.ExecContext(ctx, write, fmt.Sprint("somebody ", i))
				return err
			})
			if err != nil {
				result <- fmt.Errorf("another user's write: %w", err)
				return
			}
			took = append(took, time.Since(began).Seconds())
			select {
			case <-ended:
				result <- nil
				return
			case <-time.After(writerPause):
			}
		}
	}()
	return func() (Waits, error) {
		close(ended)
		err := <-result
		if cerr := db.Close(); err == nil {
			err = cerr
		}
		return summary(took), err
	}, nil
}

func summary(took []float64) Waits {
	if len(took) == 0 {
		return Waits{}
	}
	slices.Sort(took)
	return Waits{Writes: len(took), Median: median(took), P99: took[(len(took)-1)*99/100], Max: took[len(took)-1]}
}
