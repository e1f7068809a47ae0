package refer

import (
	"math"
	"slices"
	"sync"

	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

// A table is rows of values, with an index of each column that a script has asked
// for. Scripts ask for one or two; an index of all would take more memory than
// the rows.
type table struct {
	columns []string
	rows    [][]point.Value
	indexes []index
}

// An index is the rows that hold a value, in order.
type index struct {
	once sync.Once
	rows map[cell][]int32
}

// A cell is a value as a key of a map.
type cell struct {
	kind point.Kind
	num  uint64
	text string
}

// newTable returns a table. Where two columns have one name, the first counts.
func newTable(columns []string, rows [][]point.Value) *table {
	t := &table{rows: rows, indexes: make([]index, len(columns))}
	var keep []int
	for i, c := range columns {
		if slices.Index(columns, c) == i {
			keep = append(keep, i)
			t.columns = append(t.columns, c)
		}
	}
	if len(keep) == len(columns) {
		return t
	}
	for r, row := range rows {
		kept := make([]point.Value, len(keep))
		for j, i := range keep {
			kept[j] = row[i]
		}
		t.rows[r] = kept
	}
	return t
}

// find returns the first row where columns hold values.
func (t *table) find(columns []string, values []point.Value) (fn.Row, bool) {
	if len(columns) == 0 || len(columns) != len(values) {
		return fn.Row{}, false
	}
	places := make([]int, len(columns))
	var fewest []int32
	for i, name := range columns {
		places[i] = slices.Index(t.columns, name)
		if places[i] < 0 {
			return fn.Row{}, false
		}
		rows := t.holding(places[i], values[i])
		if len(rows) == 0 {
			return fn.Row{}, false
		}
		if fewest == nil || len(rows) < len(fewest) {
			fewest = rows
		}
	}
	for _, r := range fewest {
		if t.holds(t.rows[r], places, values) {
			return fn.Row{Columns: t.columns, Values: t.rows[r]}, true
		}
	}
	return fn.Row{}, false
}

func (t *table) holds(row []point.Value, places []int, values []point.Value) bool {
	for i, at := range places {
		if !fn.Same(row[at], values[i]) {
			return false
		}
	}
	return true
}

// holding returns the rows that hold v in a column.
func (t *table) holding(column int, v point.Value) []int32 {
	key, ok := cellOf(v)
	if !ok {
		return nil
	}
	x := &t.indexes[column]
	x.once.Do(func() {
		x.rows = make(map[cell][]int32, len(t.rows))
		for r, row := range t.rows {
			if c, ok := cellOf(row[column]); ok {
				x.rows[c] = append(x.rows[c], int32(r)) //nolint:gosec // there are fewer than maxCells
			}
		}
	})
	return x.rows[key]
}

// cellOf returns v as a key. NaN, and what no column holds, is none.
func cellOf(v point.Value) (cell, bool) {
	switch v.Kind() { //nolint:exhaustive // columns hold no others
	case point.String:
		return cell{kind: point.String, text: v.Text()}, true
	case point.Int:
		return cell{kind: point.Int, num: uint64(v.Int())}, true //nolint:gosec // its bits
	case point.Bool:
		if v.Bool() {
			return cell{kind: point.Bool, num: 1}, true
		}
		return cell{kind: point.Bool}, true
	case point.Float:
		f := v.Float() + 0 // -0 is 0
		return cell{kind: point.Float, num: math.Float64bits(f)}, !math.IsNaN(f)
	}
	return cell{}, false
}
