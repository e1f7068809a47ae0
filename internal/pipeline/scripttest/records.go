package scripttest

import (
	"bufio"
	"compress/gzip"
	"io"
	"iter"
	"os"
	"strings"
	"testing"
)

// maxRecord is how long one recorded case may be, in bytes.
const maxRecord = 16 << 20

// Records yields the lines of a file of recorded cases, gzipped where its name
// ends in .gz. A line is good until the next one is asked for.
func Records(t testing.TB, file string) iter.Seq[[]byte] {
	t.Helper()
	return func(yield func([]byte) bool) {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		var r io.Reader = f
		if strings.HasSuffix(file, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxRecord)
		for lines.Scan() {
			if !yield(lines.Bytes()) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
}
