package input

import (
	"context"
	"os"
	"path/filepath"

	"github.com/shirou/gopsutil/v4/common"
)

// ProcPath returns the path of a file under /proc, or under HOST_PROC where the
// agent runs in a container that has the host's mounted elsewhere.
func ProcPath(ctx context.Context, elem ...string) string {
	return root(ctx, common.HostProcEnvKey, "/proc", elem)
}

// SysPath returns the path of a file under /sys, or under HOST_SYS.
func SysPath(ctx context.Context, elem ...string) string {
	return root(ctx, common.HostSysEnvKey, "/sys", elem)
}

// VarPath returns the path of a file under /var, or under HOST_VAR.
func VarPath(ctx context.Context, elem ...string) string {
	return root(ctx, common.HostVarEnvKey, "/var", elem)
}

// RunPath returns the path of a file under /run, or under HOST_RUN.
func RunPath(ctx context.Context, elem ...string) string {
	return root(ctx, common.HostRunEnvKey, "/run", elem)
}

// root looks where gopsutil looks, so that one setting holds for all inputs.
func root(ctx context.Context, key common.EnvKeyType, standard string, elem []string) string {
	dir := ""
	if env, ok := ctx.Value(common.EnvKey).(common.EnvMap); ok {
		dir = env[key]
	}
	if dir == "" {
		dir = os.Getenv(string(key))
	}
	if dir == "" {
		dir = standard
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}
