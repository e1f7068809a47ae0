package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"datakit.dev/internal/store"
	"datakit.dev/internal/store/storetest"
)

var (
	whole = store.Traits{Watches: true, Writes: true, CompareAndSet: true, OneInstant: true}
	loose = store.Traits{Watches: true, Writes: true}
	polls = store.Traits{Writes: true}
)

func TestStoreThatKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	for name, traits := range map[string]store.Traits{"with every trait": whole, "without one instant and compare-and-set": loose, "that polls": polls} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, traits, func(*testing.T) storetest.Server { return newMemory("") })
		})
	}
	t.Run("that is read once", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, store.Traits{OneInstant: true}, func(*testing.T) storetest.Server { return onceServer{newMemory("reads once")} })
	})
}

// A onceServer hides what the memory can do besides: a store that is read once
// has no outage.
type onceServer struct{ m *memory }

func (s onceServer) Open(t *testing.T) store.Store { return s.m.Open(t) }

func (s onceServer) Put(t *testing.T, key, value string) { s.m.Put(t, key, value) }

func (s onceServer) Delete(t *testing.T, key string) { s.m.Delete(t, key) }

func (s onceServer) PutBeside(t *testing.T, key, value string) { s.m.PutBeside(t, key, value) }

func (onceServer) ReadOnce() {}

// defect names the variable that makes TestBrokenStore run the suite.
const defectVar = "STORETEST_DEFECT"

// TestBrokenStore runs no case in parallel, so that the goroutines of one are
// not held against another.
func TestBrokenStore(t *testing.T) {
	defect := os.Getenv(defectVar)
	if defect == "" {
		t.Skip("run by TestSuiteFindsDefects")
	}
	start := func(*testing.T) storetest.Server { return newMemory(defect) }
	switch defects[defect].traits {
	case "once":
		storetest.Run(t, store.Traits{}, func(*testing.T) storetest.Server { return onceServer{newMemory(defect)} })
	case "loose":
		storetest.Run(t, loose, start)
	default:
		storetest.Run(t, whole, start)
	}
}

// defects are the broken promises, each with the case that holds a store to it.
var defects = map[string]struct{ found, traits string }{
	"a revision for ever":                 {found: "the_revision_moves_with_the_content"},
	"everybody's revision":                {found: "keys_beside_the_root"},
	"takes the neighbour's":               {found: "keys_beside_the_root"},
	"trims values":                        {found: "odd_values"},
	"folds keys":                          {found: "odd_keys"},
	"drops large values":                  {found: "a_value_over_the_limit"},
	"mixes two states!":                   {found: "no_read_mixes"},
	"tears values!":                       {found: "no_read_shows_a_value", traits: "loose"},
	"goes back in time!":                  {found: "no_read_shows_a_value", traits: "loose"},
	"an outage is empty":                  {found: "an_outage_is_an_error"},
	"sleeps through a restart":            {found: "a_change_made_right_after_a_restart"},
	"reads once":                          {found: "Wait_returns_for_a_delete"},
	"keeps what it had before a cut":      {found: "a_change_made_while_the_line_was_cut"},
	"moves its revision at a cut":         {found: "a_cut_without_a_change"},
	"hangs on a frozen server":            {found: "a_frozen_server"},
	"waits through everything":            {found: "a_frozen_server"},
	"takes an old revision for a new one": {found: "data_restored_from_an_older_backup"},
	"does not look at its context":        {found: "a_cancelled_read"},
	"never blocks":                        {found: "Wait_blocks"},
	"says so once":                        {found: "Wait_returns_at_once_for_every_older_revision"},
	"goes on when closed":                 {found: "a_closed_store_says_so"},
	"hangs in Close":                      {found: "Close_ends_everything"},
	"leaves a goroutine":                  {found: "nothing_of_a_closed_store_runs"},
	"leaves a goroutine of an outage":     {found: "nothing_runs_of_a_store_that_was_closed_without_its_server"},
	"writes any key":                      {found: "what_no_reader_would_take"},
	"writes what was given up":            {found: "a_put_that_was_given_up"},
	"writes whatever the condition":       {found: "a_put_at_a_revision"},
	"deletes whatever the condition":      {found: "a_delete_at_a_revision"},
	"deletes what begins the same":        {found: "a_delete_takes_no_key"},
	"checks before it writes":             {found: "of_many_puts_at_once"},
	"tells the password":                  {found: "a_wrong_password"},
	"logs the password":                   {found: "a_wrong_password"},
	"lets anybody write":                  {found: "a_wrong_password"},
	"tells its token":                     {found: "a_secret_that_works"},
	"logs its token":                      {found: "a_secret_that_works"},
	"never logs in again":                 {found: "what_has_expired"},
	"an expired token sees nothing":       {found: "what_has_expired"},
	"looks again":                         {found: "what_comes_after_a_single_look", traits: "once"},
}

// Each broken promise fails the case that holds the store to it.
func TestSuiteFindsDefects(t *testing.T) {
	for defect, c := range defects {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			// Time is short for a store of which nothing more comes.
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBrokenStore$/"+c.found, "-test.timeout=3s")
			cmd.Env = append(os.Environ(), defectVar+"="+defect)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestBrokenStore/"+c.found) {
				t.Errorf("the suite passes a store that %s (%v):\n%s", defect, err, out)
			}
		})
	}
}
