package refer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cast"

	"datakit.dev/internal/point"
)

// maxCells bounds all tables together, at some hundred megabytes in memory: [0,0,…]
// is short to send.
const maxCells = 4 << 20

// A source is a table as it is sent.
type source struct {
	Name    string          `json:"table_name"`
	Columns []string        `json:"column_name"`
	Types   []string        `json:"column_type"`
	Rows    json.RawMessage `json:"row_data"`
}

// parse reads a list of tables, of so many cells together. Of two tables with one
// name the first counts; one that is malformed refuses them all.
func parse(r io.Reader, cells int) (tableSet, error) {
	var sources []source
	dec := json.NewDecoder(r)
	if err := dec.Decode(&sources); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is more after the list of tables", ErrFormat)
	}
	set := tableSet{}
	for _, s := range sources {
		t, err := s.table(&cells)
		if err != nil {
			return nil, fmt.Errorf("%w: table %q: %w", ErrFormat, s.Name, err)
		}
		if _, taken := set[s.Name]; !taken {
			set[s.Name] = t
		}
	}
	return set, nil
}

func (s *source) table(left *int) (*table, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	rows, err := s.rows(left)
	if err != nil {
		return nil, err
	}
	return newTable(s.Columns, rows), nil
}

func (s *source) check() error {
	switch {
	case s.Name == "":
		return errors.New("it has no name")
	case len(s.Columns) != len(s.Types):
		return fmt.Errorf("%d columns have %d types", len(s.Columns), len(s.Types))
	case slices.Contains(s.Columns, ""):
		return errors.New("a column has no name")
	}
	for _, t := range s.Types {
		if !slices.Contains([]string{"string", "int", "float", "bool"}, t) {
			return fmt.Errorf(`the type of a column must be "string", "int", "float" or "bool", got %q`, t)
		}
	}
	return nil
}

// rows reads the rows one by one: all of them as the decoder makes them would
// take many times the memory of what is kept.
func (s *source) rows(left *int) ([][]point.Value, error) {
	if len(s.Rows) == 0 || string(s.Rows) == "null" {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(s.Rows))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return nil, errors.New("row_data must be a list of rows")
	}
	var rows [][]point.Value
	for dec.More() {
		var cells []any
		if err := dec.Decode(&cells); err != nil {
			return nil, err
		}
		if len(cells) != len(s.Columns) {
			return nil, fmt.Errorf("row %d has %d values, and there are %d columns", len(rows), len(cells), len(s.Columns))
		}
		if *left -= len(cells) + 1; *left < 0 {
			return nil, ErrSize
		}
		row := make([]point.Value, len(cells))
		for i, cell := range cells {
			v, err := convert(cell, s.Types[i])
			if err != nil {
				return nil, fmt.Errorf("row %d, column %q: %w", len(rows), s.Columns[i], err)
			}
			row[i] = v
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// convert returns a cell as a value of its column's type: "123" is an int in a
// column of ints.
func convert(cell any, to string) (point.Value, error) {
	switch to {
	case "bool":
		v, err := cast.ToBoolE(cell)
		return point.BoolOf(v), err
	case "int":
		v, err := cast.ToInt64E(cell)
		return point.IntOf(v), err
	case "float":
		v, err := cast.ToFloat64E(cell)
		return point.FloatOf(v), err
	}
	v, err := cast.ToStringE(cell)
	return point.StringOf(v), err
}
