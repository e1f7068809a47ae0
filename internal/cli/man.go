package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand is for those who package DataKit. The pages are written here and not
// by cobra's generator: that one reads the help as Markdown, which drops every
// <NAME> in it, and brings two libraries along.
func (p program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the manual pages of every command to a folder",
		Example: "  datakit man /usr/local/share/man/man1",
		Hidden:  true,
		Args:    want(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(context.Context, []string) error { return p.writePages(cmd.Root(), args[0]) })(cmd, args)
		},
	}
}

// writePages writes the page of cmd and those of the commands below it.
func (p program) writePages(cmd *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write the manual pages: %w", err)
	}
	path := filepath.Join(dir, pageName(cmd)+".1")
	if err := os.WriteFile(path, p.page(cmd), 0o644); err != nil {
		return fmt.Errorf("write the manual pages: %w", err)
	}
	for _, c := range pagesBelow(cmd) {
		if err := p.writePages(c, dir); err != nil {
			return err
		}
	}
	return nil
}

// pagesBelow returns the commands right below cmd that have a page.
func pagesBelow(cmd *cobra.Command) (list []*cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			list = append(list, c)
		}
	}
	return list
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page returns the manual page of cmd. It carries no date, so that the same
// source gives the same page.
func (p program) page(cmd *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH \"%s\" \"1\" \"\" \"datakit %s\" \"DataKit\"\n", roff(strings.ToUpper(pageName(cmd))), roff(p.Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(pageName(cmd)), roff(cmd.Short))
	name, rest := cmd.CommandPath(), strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath())
	fmt.Fprintf(&b, ".SH SYNOPSIS\n\\fB%s\\fR%s\n", roff(name), roff(rest))
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	b.WriteString(".SH DESCRIPTION\n")
	writeText(&b, long)
	writeFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	writeFlags(&b, "INHERITED OPTIONS", cmd.InheritedFlags())
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		writeText(&b, cmd.Example)
	}
	fmt.Fprintf(&b, ".SH EXIT STATUS\n%d done; %d it failed; %d wrong use.\n", exitDone, exitFailed, exitUsage)
	writeSeeAlso(&b, cmd)
	return b.Bytes()
}

// writeText writes paragraphs. Indented lines stay as they are.
func writeText(b *bytes.Buffer, text string) {
	literal := false
	for line := range strings.Lines(strings.Trim(text, "\n") + "\n") {
		line = strings.TrimRight(line, "\n \t")
		indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		switch {
		case line == "" && literal:
			b.WriteString("\n")
			continue
		case line == "":
			b.WriteString(".PP\n")
			continue
		case indented && !literal:
			b.WriteString(".nf\n")
		case !indented && literal:
			b.WriteString(".fi\n")
		}
		literal = indented
		b.WriteString(roff(line) + "\n")
	}
	if literal {
		b.WriteString(".fi\n")
	}
}

func writeFlags(b *bytes.Buffer, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "\\fB\\-\\-" + roff(f.Name) + "\\fR"
		if f.Shorthand != "" {
			name = "\\fB\\-" + roff(f.Shorthand) + "\\fR, " + name
		}
		if value != "" {
			name += " \\fI" + roff(value) + "\\fR"
		}
		fmt.Fprintf(b, ".TP\n%s\n%s\n", name, roff(usage+standing(f)))
	})
}

// standing says what a flag is where it is not given.
func standing(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
		return ""
	}
	return " (default " + f.DefValue + ")"
}

func writeSeeAlso(b *bytes.Buffer, cmd *cobra.Command) {
	var names []string
	if cmd.HasParent() {
		names = append(names, pageName(cmd.Parent()))
	}
	for _, c := range pagesBelow(cmd) {
		names = append(names, pageName(c))
	}
	if len(names) == 0 {
		return
	}
	for i, n := range names {
		names[i] = "\\fB" + roff(n) + "\\fR(1)"
	}
	fmt.Fprintf(b, ".SH SEE ALSO\n%s\n", strings.Join(names, ", "))
}

// roff returns one line of text as roff shows it: what begins with a dot or a
// quote would be a request, and vanish.
func roff(line string) string {
	var b strings.Builder
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		b.WriteString(`\&`)
	}
	for _, r := range line {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r > unicode.MaxASCII:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
