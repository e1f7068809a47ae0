// Command release builds what is published of DataKit: archives for every
// platform, Debian and RPM packages, software bills of materials, checksums, and
// a container image. The same commit gives the same bytes, wherever its folder
// lies and whenever it is built; only the version of Go has to be the same.
//
// It is a module of its own, so that none of its libraries reaches the agent.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/mail"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// allTargets is what is published where nothing else is asked for.
const allTargets = "linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		stop()
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// maintainer is who answers for the project's own packages. Who builds packages of a
// fork names themselves with the flag.
const maintainer = "DataKit developers <developers@datakit.dev>"

// run does what args ask for.
func run(ctx context.Context, args []string, log io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Usage = func() {
		fmt.Fprintln(log, "release [flags] packages|image: build what is published of DataKit")
		flags.PrintDefaults()
	}
	src := flags.String("src", "../..", "the `folder` of the source")
	out := flags.String("out", "../../dist", "the `folder` to write to")
	version := flags.String("version", "", "the version; git's by default")
	targets := flags.String("targets", allTargets, "a list of OS/ARCH")
	key := flags.String("key", os.Getenv("DATAKIT_RELEASE_KEY"), "the `file` of an SSH key that signs the checksums (DATAKIT_RELEASE_KEY)")
	who := flags.String("maintainer", cmp.Or(os.Getenv("DATAKIT_RELEASE_MAINTAINER"), maintainer), "`NAME <ADDRESS>` of who answers for the packages (DATAKIT_RELEASE_MAINTAINER)")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("wrong use: %w", err)
	}
	if _, err := mail.ParseAddress(*who); err != nil {
		return fmt.Errorf("the maintainer is no NAME <ADDRESS>: %w", err)
	}
	r, err := newRelease(ctx, *src, *out, *version, log)
	if err != nil {
		return err
	}
	r.maintainer = *who
	if r.targets, err = parseTargets(*targets); err != nil {
		return err
	}
	switch what := flags.Arg(0); {
	case flags.NArg() != 1:
		return errors.New("say what to build: packages or image")
	case what == "packages":
		return r.packages(ctx, *key)
	case what == "image":
		return r.image(ctx)
	default:
		return fmt.Errorf("unknown %q: there is packages and image", what)
	}
}

// packages builds everything but the image, and the list of checksums.
func (r *release) packages(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	common, err := r.commonFiles(ctx)
	if err != nil {
		return err
	}
	names, err := r.installers()
	if err != nil {
		return err
	}
	for _, t := range r.targets {
		made, err := r.forTarget(ctx, t, common)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		names = append(names, made...)
	}
	slices.Sort(names)
	return r.checksums(ctx, names, key)
}

// forTarget builds what there is for one platform and returns the names.
func (r *release) forTarget(ctx context.Context, t target, common []file) (names []string, err error) {
	binary, err := r.compile(ctx, t)
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read the binary: %w", err)
	}
	notices, err := r.notices(ctx, t)
	if err != nil {
		return nil, err
	}
	files := append([]file{{"datakit" + t.exe(), 0o755, body}, {noticesFile, 0o644, notices}}, forSystem(common, t.os)...)
	steps := []func() (string, error){
		func() (string, error) { return r.archive(t, files) },
		func() (string, error) { return r.newest(t) },
		func() (string, error) { return r.bill(t, binary) },
	}
	if t.os == "linux" {
		for _, format := range []string{"deb", "rpm"} {
			steps = append(steps, func() (string, error) { return r.systemPackage(ctx, format, t, files) })
		}
	}
	for _, step := range steps {
		name, err := step()
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(r.log, filepath.Join(r.out, name))
		names = append(names, name)
	}
	return names, nil
}

// parseTargets reads OS/ARCH, several of them between commas or spaces.
func parseTargets(list string) (targets []target, err error) {
	between := func(r rune) bool { return r == ',' || r == ' ' }
	for part := range strings.FieldsFuncSeq(list, between) {
		system, arch, ok := strings.Cut(part, "/")
		if !ok || system == "" || arch == "" || strings.ContainsAny(arch, "/\\.") || strings.ContainsAny(system, "\\.") {
			return nil, fmt.Errorf("the target %q is not OS/ARCH, such as linux/amd64", part)
		}
		t := target{os: system, arch: arch}
		if slices.Contains(targets, t) {
			return nil, fmt.Errorf("the target %s is named twice", t)
		}
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return nil, errors.New("no target is named")
	}
	return targets, nil
}
