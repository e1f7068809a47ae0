package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/dql"
)

// writeAnswer prints an answer as a table for each series.
func writeAnswer(out io.Writer, a dql.Answer) error {
	rows := 0
	for _, r := range a.Content {
		for _, s := range r.Series {
			if err := writeSeries(out, s); err != nil {
				return err
			}
		}
		rows += r.Rows()
		fmt.Fprintf(out, "%s%s\n", counted(rows, "row"), cost(r.Cost))
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func cost(c string) string {
	if d, err := time.ParseDuration(c); err == nil {
		return ", " + d.Round(10*time.Microsecond).String()
	}
	return ""
}

func writeSeries(out io.Writer, s dql.Series) error {
	var title []string
	if s.Name != "" {
		title = append(title, s.Name)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Tags)) {
		title = append(title, k+"="+s.Tags[k])
	}
	if len(title) > 0 {
		fmt.Fprintln(out, diag.OneLine(strings.Join(title, " ")))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	tableRow(w, s.Columns)
	for _, row := range s.Values {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = tableCell(s.Columns, i, v)
		}
		tableRow(w, cells)
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	return nil
}

func tableRow(w io.Writer, cells []string) {
	for i := range cells {
		cells[i] = diag.OneLine(cells[i])
	}
	fmt.Fprintln(w, strings.TrimRight("  "+strings.Join(cells, "\t"), "\t"))
}

// tableCell writes a value for a reader: a time as such.
func tableCell(columns []string, i int, v any) string {
	if i == 0 && i < len(columns) && columns[0] == "time" {
		if n, ok := v.(json.Number); ok {
			// The starts of a histogram's intervals stand there, too, and are small.
			if ms, err := n.Int64(); err == nil && ms > 1e11 {
				return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
			}
		}
	}
	if v == nil {
		return "-"
	}
	return cellText(v)
}

func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

// writeCSV prints an answer as one table: the name, the tags of the groups and
// the columns of all series. For a terminal what could steer it is taken out; a
// program gets the texts as they are.
func writeCSV(out io.Writer, a dql.Answer, clean bool) error {
	var tags, columns []string
	for _, r := range a.Content {
		for _, s := range r.Series {
			tags = addNew(tags, slices.Sorted(maps.Keys(s.Tags)))
			columns = addNew(columns, s.Columns)
		}
	}
	w := csv.NewWriter(out)
	_ = w.Write(slices.Concat([]string{"name"}, tags, columns)) // Error says it below
	for _, r := range a.Content {
		for _, s := range r.Series {
			for _, row := range s.Values {
				cells := csvRow(s, row, tags, columns)
				for i := range cells {
					if clean {
						cells[i] = diag.OneLine(cells[i])
					}
				}
				_ = w.Write(cells)
			}
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("print the answer: %w", err)
	}
	return nil
}

func csvRow(s dql.Series, row []any, tags, columns []string) []string {
	cells := []string{s.Name}
	for _, t := range tags {
		cells = append(cells, s.Tags[t])
	}
	for _, c := range columns {
		i := slices.Index(s.Columns, c)
		if i < 0 || i >= len(row) {
			cells = append(cells, "")
			continue
		}
		cells = append(cells, cellText(row[i]))
	}
	return cells
}

// addNew appends the names that list lacks.
func addNew(list, names []string) []string {
	for _, n := range names {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}
