package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
	"datakit.dev/internal/store"
)

// maxShown is how many lines of differences are shown.
const maxShown = 400

// A change is one key of a store as it is there, and as it shall be.
type change struct {
	was, is store.Entry
	exists  bool // was is there
	gone    bool // and shall not be
}

// same reports whether there is nothing to write.
func (ch change) same() bool {
	return ch.exists && !ch.gone && ch.was.TooLarge == 0 && ch.was.Value == ch.is.Value
}

// cond is the condition that nobody wrote the key since it was read.
func (ch change) cond() store.Cond {
	if !ch.exists {
		return store.Cond{Absent: true}
	}
	return store.Cond{Revision: ch.was.Revision}
}

// verb says what is done to the key.
func (ch change) verb() string {
	if ch.gone {
		return "delete"
	}
	return "put"
}

func (ch change) key() string {
	if ch.gone {
		return ch.was.Key
	}
	return ch.is.Key
}

// yesFlag adds --yes.
func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}

// agree shows what would be written, and asks whether to where somebody sits
// there. It goes to standard error: the output is for what was done.
func (c *confd) agree(t *target, changes []change, yes bool) error {
	left := maxShown
	for i, ch := range changes {
		if left <= 0 {
			fmt.Fprintf(c.Stderr, "… and %d more keys\n", len(changes)-i)
			break
		}
		was, is := t.full(ch.key()), t.full(ch.key())+", new"
		if !ch.exists {
			was = "nothing"
		}
		if ch.gone {
			is = "nothing"
		}
		left -= c.show(ch.key(), was, ch.was.Value, is, ch.is.Value, left)
	}
	question := "write it?"
	if n := len(changes); n > 1 {
		question = fmt.Sprintf("write these %d keys?", n)
	}
	if yes || !c.interactive() || c.confirm(question) {
		return nil
	}
	return errors.New("nothing was written")
}

// show prints the difference between two values of the key, each under its name,
// and at most limit lines of it. It returns how many it printed. What is secret is
// hidden, though it shows that it differs.
func (c *confd) show(key, wasName, was, isName, is string, limit int) int {
	text := diff.Diff(diag.OneLine(wasName), []byte(was), diag.OneLine(isName), []byte(is))
	if len(text) == 0 {
		return 0
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:] // the first names the program
	for n, line := range lines {
		if n == limit {
			fmt.Fprintf(c.Stderr, "… and %d more lines\n", len(lines)-n)
			return n
		}
		if n > 1 && line != "" { // behind the names
			line = line[:1] + c.redact(key, line)
		}
		fmt.Fprintln(c.Stderr, diag.OneLine(line))
	}
	return len(lines)
}

// redact returns a line of a difference, without its mark and what is secret.
func (c *confd) redact(key, line string) string {
	text := line[1:]
	switch {
	case line[0] == '@' || line[0] == '\\':
		return text
	case strings.HasPrefix(key, pipelineFolder):
		return spec.RedactURL(text)
	}
	return c.Parts.Catalog.Redact(text)
}

// apply makes one change, as long as nobody else has made another.
func (c *confd) apply(ctx context.Context, t *target, ch change) error {
	var err error
	var rev store.Revision
	if ch.gone {
		err = t.remove(ctx, ch.was)
	} else {
		rev, err = t.put(ctx, ch.is, ch.cond())
	}
	switch {
	case errors.Is(err, store.ErrConflict), ch.gone && errors.Is(err, store.ErrNotFound):
		return c.explainConflict(ctx, t, ch, err)
	case err != nil:
		return err
	case ch.gone:
		c.say("deleted %s", t.full(ch.was.Key))
	default:
		c.say("put %s, revision %s", t.full(ch.is.Key), rev)
	}
	return nil
}

// explainConflict shows what somebody else has made of the key since it was
// shown.
func (c *confd) explainConflict(ctx context.Context, t *target, ch change, err error) error {
	if snap, rerr := t.read(ctx); rerr == nil {
		now, ok := snap.Get(ch.key())
		what := t.full(ch.key()) + ", as somebody else has changed it"
		if !ok {
			what = "nothing: somebody else has deleted it"
		}
		c.show(ch.key(), t.full(ch.key())+", as it was", ch.was.Value, what, now.Value, maxShown)
	}
	return fmt.Errorf("%w; somebody else was faster, and nothing was written", err)
}
