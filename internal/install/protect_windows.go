package install

import (
	"context"
	"fmt"
)

// protect keeps everybody but the system and the administrators out of a folder:
// datakit.conf holds secrets, and below Program Files all users may read.
func protect(ctx context.Context, folder string) error {
	const system, administrators = "*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F"
	if out, err := command(ctx, "icacls", folder, "/inheritance:r", "/grant:r", system, "/grant:r", administrators, "/Q"); err != nil {
		return fmt.Errorf("protect %s: %w: %s", folder, err, out)
	}
	return nil
}
