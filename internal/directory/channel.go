package directory

import (
	"context"
	"fmt"

	"muster/internal/sqldb"
)

var channelEntity = entity[Channel]{
	subject: "channel", module: "catalogues",
	key: func(c *Channel) (*int64, *string) { return &c.ID, &c.Name },
	attributes: func(c Channel) []attribute {
		return []attribute{{"default", c.Default}, {"highest", c.Highest}, {"retired", c.Retired}}
	},
	refused: tooManySessions,
	save:    saveChannel,
	users:   "SELECT count(*) FROM user_channels WHERE channel_id = $1",
	erase:   "DELETE FROM channels WHERE id = $1",
}

func (p *changePlan) compareChannels(want []Channel, prune bool) {
	all := compare(p, channelEntity, p.have.AllChannels(), want, prune)
	p.after.Channels, p.after.Retired.Channels = apart(all, func(c Channel) bool { return c.Retired })
	name := func(c Channel) string { return c.Name }
	p.compareOrder("channel-order", "channels", each(p.have.Channels, name), each(p.after.Channels, name))
}

func (p *changePlan) checkChannel(c Channel) {
	p.checkName("channel", c.Name)
	if p.checkNumber("channel", c.Name, "default", c.Default) && p.checkNumber("channel", c.Name, "highest", c.Highest) && c.Default > c.Highest {
		p.faults.add("channel %q: the default %d is above the highest %d; lower the one or raise the other", c.Name, c.Default, c.Highest)
	}
}

// tooManySessions keeps a channel's highest count above what users hold.
func tooManySessions(ctx context.Context, q sqldb.Querier, before, after *Channel) (string, error) {
	if after.Highest >= before.Highest {
		return "", nil
	}
	n, _, err := sqldb.One[int64](ctx, q, "SELECT count(*) FROM user_channels WHERE channel_id = $1 AND count > $2", after.ID, after.Highest)
	if err != nil || n == 0 {
		return "", err
	}
	return fmt.Sprintf("channel %q: %s may hold more than %d sessions at once; lower their counts first, or keep the highest at %d", after.Name, people(n), after.Highest, before.Highest), nil
}

func saveChannel(ctx context.Context, tx *sqldb.Tx, c Channel) error {
	if c.ID == 0 {
		_, err := tx.ExecContext(ctx, "INSERT INTO channels (position, name, default_count, highest_count, retired) VALUES (0, $1, $2, $3, $4)", c.Name, c.Default, c.Highest, bit(c.Retired))
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE channels SET default_count = $1, highest_count = $2, retired = $4 WHERE id = $3", c.Default, c.Highest, c.ID, bit(c.Retired))
	return err
}

func each[T, V any](all []T, fn func(T) V) []V {
	values := make([]V, len(all))
	for i, v := range all {
		values[i] = fn(v)
	}
	return values
}
