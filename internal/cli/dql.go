package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/dql"
	"datakit.dev/internal/workdir"
)

// dqlFlags say what to do with a query and its answer.
type dqlFlags struct {
	agent  agentFlags
	json   bool
	csv    bool
	remote bool
	watch  time.Duration
}

func (p program) dqlCommand() *cobra.Command {
	var f dqlFlags
	cmd := &cobra.Command{
		Use:   "dql [QUERY]",
		Short: "Ask for the points that were collected last",
		Long: `Answer a DQL query from the points that the running agent keeps in memory, or
with --remote from the data gateway. Without QUERY it is read from standard
input; on a terminal many can be asked, with history (arrows) and completion (Tab).`,
		Example: "  datakit dql 'M::cpu:(usage_total) LIMIT 5'\n" +
			"  datakit dql 'M::cpu:(avg(usage_total)) [10m::1m] BY host' --csv\n" +
			"  datakit dql 'M::`nvidia_smi`:((`tconsul`)) limit 20' --watch 2s\n" +
			"  datakit dql 'show_measurement()'",
		Args: want(0, 1),
		RunE: run(func(ctx context.Context, args []string) error { return p.dql(ctx, f, args) }),
	}
	f.agent.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON, as POST /v1/query/raw gives it")
	cmd.Flags().BoolVar(&f.csv, "csv", false, "print comma-separated values")
	cmd.Flags().BoolVar(&f.remote, "remote", false, "ask the data gateway in datakit.conf instead of the agent")
	cmd.Flags().DurationVar(&f.watch, "watch", 0, "ask again after each `interval`, until interrupted")
	return cmd
}

func (p program) dql(ctx context.Context, f dqlFlags, args []string) error {
	if f.json && f.csv {
		return usage("--json and --csv exclude each other")
	}
	if f.watch < 0 || f.watch > 0 && f.watch < 100*time.Millisecond {
		return usage("--watch %v: expected at least 100ms", f.watch)
	}
	asker, err := p.asker(f)
	if err != nil {
		return err
	}
	query, err := p.queryOf(args)
	switch {
	case err != nil:
		return err
	case query == "" && p.interactive():
		if f.watch > 0 {
			return usage("--watch needs a query")
		}
		return p.dqlSession(ctx, f, asker)
	case strings.TrimSpace(query) == "":
		return usage("a query is missing, such as 'M::cpu LIMIT 5'")
	case f.watch > 0:
		return p.dqlWatch(ctx, f, asker, query)
	}
	return p.dqlOnce(ctx, f, asker, query, p.Stdout)
}

// queryOf returns the query of the command line, or else of standard input where
// nobody sits there.
func (p program) queryOf(args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	if p.interactive() {
		return "", nil
	}
	text, err := io.ReadAll(io.LimitReader(p.Stdin, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read the query: %w", err)
	}
	return string(text), nil
}

// dqlOnce asks once and prints the answer. What is wrong with the query is found
// here, where the place in it can be shown.
func (p program) dqlOnce(ctx context.Context, f dqlFlags, ask asker, query string, out io.Writer) error {
	if !f.remote { // the data gateway knows more of the language
		if _, bad := dql.Parse(query); bad != nil {
			if !f.json && !f.csv {
				fmt.Fprintln(out, printable(bad.Text()))
			}
			return bad
		}
	}
	a, raw, err := ask(ctx, query)
	switch {
	case err != nil:
		return err
	case f.json:
		fmt.Fprintln(out, string(raw))
		return nil
	case f.csv:
		return writeCSV(out, a, p.toTerminal())
	}
	return writeAnswer(out, a)
}

// printable keeps the lines of a text and none of its other control characters.
func printable(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = diag.OneLine(l)
	}
	return strings.Join(lines, "\n")
}

// clearScreen moves to the upper left and clears what is below.
const clearScreen = "\x1b[H\x1b[2J"

// dqlWatch asks again and again.
func (p program) dqlWatch(ctx context.Context, f dqlFlags, ask asker, query string) error {
	tick := time.NewTicker(f.watch)
	defer tick.Stop()
	for {
		var b strings.Builder
		if err := p.dqlOnce(ctx, f, ask, query, &b); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if p.toTerminal() {
			fmt.Fprintf(p.Stdout, "%severy %v: %s\n\n", clearScreen, f.watch, diag.OneLine(query))
		}
		fmt.Fprint(p.Stdout, b.String())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// toTerminal reports whether somebody reads what is printed.
func (p program) toTerminal() bool {
	out, ok := p.Stdout.(*os.File)
	return ok && term.IsTerminal(int(out.Fd()))
}

// asker returns what answers queries: the agent, or the data gateway.
func (p program) asker(f dqlFlags) (asker, error) {
	if f.remote {
		m, err := p.readMain(workdir.Dir(f.agent.dir))
		if err != nil {
			return nil, err
		}
		urls := m.Dataway.Strings("urls")
		if len(urls) == 0 {
			return nil, errors.New("--remote: [dataway] urls is empty in datakit.conf")
		}
		return gatewayAsker(urls[0], m.Dataway, f.agent.timeout)
	}
	a, err := p.agent(f.agent)
	if err != nil {
		return nil, err
	}
	return agentAsker(a), nil
}
