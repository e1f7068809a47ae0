package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/status"
)

func (p program) statusCommand() *cobra.Command {
	var f agentFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what runs, and what became of every key",
		Long: `Ask the running agent what it does: whether what runs is what is asked for, how
it follows its stores, which keys are not applied and why, and every unit.`,
		Example: `  datakit status
  datakit status --json | jq .converged
  datakit status --addr /run/datakit.sock`,
		Args: want(0, 0),
		RunE: run(func(ctx context.Context, _ []string) error { return p.status(ctx, f, asJSON) }),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as GET /v1/status gives it")
	return cmd
}

func (p program) status(ctx context.Context, f agentFlags, asJSON bool) error {
	a, err := p.agent(f)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := a.call(ctx, http.MethodGet, "/v1/status", nil, &raw); err != nil {
		return err
	}
	if asJSON {
		// As the agent sent it: a newer one may say more than this program knows.
		fmt.Fprintln(p.Stdout, string(raw))
		return nil
	}
	var s status.Status
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("the agent's status cannot be read: %w: are the versions the same?", err)
	}
	return writeStatus(p.Stdout, s)
}

// writeStatus prints s for a reader.
func writeStatus(out io.Writer, s status.Status) error {
	t := &table{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.line("datakit %s on %s, generation %d, up since %s", s.Version, s.Hostname, s.Generation, s.StartedAt.UTC().Format(time.RFC3339))
	if s.Converged {
		t.line("converged: what runs is what is asked for")
	} else {
		t.line("NOT converged: what runs is not all that is asked for")
	}
	for _, e := range s.Errors {
		t.line("error: %s", e)
	}
	t.stores(s.Stores)
	t.keys(s.Keys)
	t.units(s.Units)
	t.scripts(s.Scripts)
	t.outputs(s.Outputs)
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("print the status: %w", err)
	}
	return nil
}

// table prints aligned columns.
type table struct{ w *tabwriter.Writer }

// line prints one line outside of any column.
func (t *table) line(format string, args ...any) {
	fmt.Fprintln(t.w, diag.OneLine(fmt.Sprintf(format, args...)))
}

// head begins a block of columns.
func (t *table) head(title string, columns ...string) {
	fmt.Fprintf(t.w, "\n%s\n", title)
	t.row(columns...)
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		if cells[i] = diag.OneLine(c); c == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(t.w, "  "+strings.Join(cells, "\t"))
}

func (t *table) stores(stores []status.Store) {
	if len(stores) == 0 {
		return
	}
	t.head("STORES", "BACKEND", "STATE", "KEYS", "REVISION", "READ AT", "NODES", "ERROR")
	for _, s := range stores {
		t.row(s.Backend, string(s.State), strconv.Itoa(s.Keys), short(s.Revision), when(s.ReadAt), strings.Join(s.Nodes, ","), s.Error)
	}
}

// keys prints those that are not simply applied: the others are in the units.
func (t *table) keys(keys []status.Key) {
	rest := slices.DeleteFunc(slices.Clone(keys), func(k status.Key) bool { return k.State == status.Applied && k.Error == "" })
	if len(rest) == 0 {
		return
	}
	t.head("KEYS NOT APPLIED", "STORE", "KEY", "STATE", "REASON")
	for _, k := range rest {
		t.row(k.Store, k.Key, string(k.State), k.Error)
	}
}

func (t *table) units(units []status.Unit) {
	t.head("UNITS", "ID", "STATE", "SINCE", "STARTS", "UPDATES", "GATHERS", "POINTS", "ERRORS", "ORIGIN", "LAST ERROR")
	for _, u := range units {
		t.row(u.ID, string(u.State), when(u.Since), number(u.Starts), number(u.Updates), number(u.Gathers), number(u.Points), number(u.Errors), u.Origin, u.LastError)
	}
}

func (t *table) scripts(scripts []status.Script) {
	if len(scripts) == 0 {
		return
	}
	t.head("SCRIPTS", "NAME", "NAMESPACE", "STATE", "RUNS", "DROPS", "ERRORS", "ERROR")
	for _, s := range scripts {
		t.row(s.Category+"/"+s.Name, s.Namespace, s.State, number(s.Runs), number(s.Drops), number(s.Errors), s.Error)
	}
}

func (t *table) outputs(outputs []status.Output) {
	if len(outputs) == 0 {
		return
	}
	t.head("OUTPUTS", "NAME", "QUEUED", "WRITTEN", "DROPPED", "RETRIES", "LAST ERROR")
	for _, o := range outputs {
		t.row(o.Name, strconv.Itoa(o.QueuePoints), number(o.Written), number(o.Dropped), number(o.Retries), o.LastError)
	}
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func when(t status.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// short bounds a revision, which may be a hash or a list of many.
func short(s string) string {
	if len(s) > 16 {
		return s[:16] + "…"
	}
	return s
}
