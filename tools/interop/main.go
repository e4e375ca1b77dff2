// Command interop drives the built program against OpenID Providers of other
// makers: npm's oidc-provider, dex with an upstream provider, and the example
// server of zitadel's op package. Each gets a copy of the program with an empty
// database, and Chromium takes the steps that people take: sign-in, the name and
// address of UserInfo, sign-out, and a sign-in after the keys have changed.
//
// It listens on loopback only, at ports that are free, and prints a table. It exits
// 1 where a step failed and 2 where the command line is wrong. It is no part of the
// program, and has a module of its own so that the providers are none either. Start
// reading at run.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/chromedp/chromedp"
)

// stepTimeout bounds one step, so that a page which never comes is a failure.
const stepTimeout = time.Minute

func main() {
	script := flag.String("oidc-provider", "tools/interop/provider.mjs", "the `script` that starts oidc-provider")
	dexWeb := flag.String("dex-web", "", "the `directory` of dex's pages")
	flag.Parse()
	if flag.NArg() != 1 || *dexWeb == "" {
		fmt.Fprintln(os.Stderr, "usage: interop -dex-web DIRECTORY [-oidc-provider SCRIPT] PROGRAM")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	// The program runs in a folder of its own, without a .env.
	program, err := filepath.Abs(flag.Arg(0))
	failed := false
	if err == nil {
		failed, err = run(ctx, os.Stdout, program, providers(*script, *dexWeb))
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

// run takes all steps with each provider and writes the table. It says whether a
// step has failed.
func run(ctx context.Context, out io.Writer, program string, all []provider) (failed bool, err error) {
	chromium, closeChromium, err := startChromium(ctx)
	if err != nil {
		return false, err
	}
	defer closeChromium()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintln(table, "provider\tstep\tresult")
	for _, p := range all {
		v := &visit{provider: p, program: program, chromium: chromium}
		for _, step := range v.steps() {
			note, err := v.take(ctx, step)
			if err != nil {
				failed = true
				fmt.Fprintf(table, "%s\t%s\tFAILED: %v\n", p.name, step.name, err)
				break // the steps after it need it
			}
			fmt.Fprintf(table, "%s\t%s\tok%s\n", p.name, step.name, note)
		}
		v.close()
	}
	return failed, nil
}

// startChromium starts a browser that reaches loopback only.
func startChromium(ctx context.Context) (context.Context, func(), error) {
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, nil, fmt.Errorf("there is no Chromium here")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"))
	if os.Geteuid() == 0 {
		// Chromium's sandbox does not start for root.
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	chromium, closeChromium := chromedp.NewContext(allocator)
	closeAll := func() { closeChromium(); stop() }
	if err := chromedp.Do(chromium); err != nil {
		closeAll()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return chromium, closeAll, nil
}
