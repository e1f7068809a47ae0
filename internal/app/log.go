package app

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"datakit.dev/internal/config"
)

// Bounds of the log file.
const (
	logMegabytes = 32
	logFiles     = 5
)

// logging is the agent's log, whose level and place a reload may change.
type logging struct {
	level *slog.LevelVar
	to    *switchWriter
}

func newLogging(stderr io.Writer) *logging {
	return &logging{level: new(slog.LevelVar), to: &switchWriter{w: stderr, fallback: stderr}}
}

func (l *logging) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l.to, &slog.HandlerOptions{Level: l.level}))
}

// apply takes the settings of m.
func (l *logging) apply(m config.Main, stdout io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(m.LogLevel)); err != nil {
		return fmt.Errorf("logging.level: %w", err)
	}
	l.level.Set(level)
	switch m.LogPath {
	case "":
		return l.to.use(l.to.fallback)
	case "stdout":
		return l.to.use(stdout)
	}
	if err := os.MkdirAll(filepath.Dir(m.LogPath), 0o750); err != nil {
		return fmt.Errorf("logging.log: %w", err)
	}
	return l.to.open(m.LogPath)
}

func (l *logging) close() error { return l.to.use(l.to.fallback) }

func rotated(path string) io.WriteCloser {
	return &lumberjack.Logger{Filename: path, MaxSize: logMegabytes, MaxBackups: logFiles}
}
