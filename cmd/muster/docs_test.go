package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"muster/internal/sqldb/sqldbtest"
)

// root is the project's directory.
const root = "../.."

// docDatabase is the address that the documentation gives for PostgreSQL; a database of the tests takes its place.
const docDatabase = "postgres://muster@db.example/muster"

// docPages are the documents, by their path from the root.
func docPages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no pages at %s: %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			pages[filepath.ToSlash(name)] = string(text)
		}
	}
	return pages
}

var (
	fence   = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// Every relative link leads somewhere, to a heading where it names one, and the README leads to every page.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	pages := docPages(t)
	linked := map[string]bool{}
	for name, text := range pages {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, ":") {
				continue
			}
			target := name
			if to != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), to))
			}
			if name == "README.md" {
				linked[target] = true
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
			} else if anchor != "" && !slices.Contains(anchors(pages[target]), anchor) {
				t.Errorf("%s: the link %s names a heading that %s does not have", name, m[1], target)
			}
		}
	}
	for name := range pages {
		if name != "README.md" && !linked[name] {
			t.Errorf("the README has no link to %s", name)
		}
	}
}

// anchors are a page's headings as links name them.
func anchors(page string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return all
}

// The page on importing has every problem code there is, and no other. The codes are those that the reports of
// internal/userimport/testdata say: a test there makes sure that every code of the source has a case, and each case
// runs. What an undo says is no row's and has no case; it is looked up in the source.
func TestDocsProblemCodes(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`\b[a-z_]+\.[a-z_]+\b`)
	there := map[string]bool{}
	cases, err := filepath.Glob(root + "/internal/userimport/testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	// "  Column: code severity …" of a row, "FILE:row Column code …" of a file.
	problem := regexp.MustCompile(`(?m)^  [^ ].*?: ([a-z_]+\.[a-z_]+) (?:error|warning|note)\b|^(?:  |[^ ].*? )(file\.[a-z_]+)`)
	for _, path := range cases {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name != "report" {
				continue
			}
			for _, m := range problem.FindAllStringSubmatch(string(f.Data), -1) {
				there[m[1]+m[2]] = true
			}
		}
	}
	source, err := os.ReadFile(root + "/internal/userimport/undo.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(undo\.[a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		there[m[1]] = true
	}
	columns := map[string]bool{}
	for c := range there {
		columns[c[:strings.Index(c, ".")]] = true
	}
	said := map[string]bool{}
	for _, span := range regexp.MustCompile("`[^`\n]+`").FindAllString(fence.ReplaceAllString(docPages(t)["docs/importing.md"], ""), -1) {
		if c := strings.Trim(span, "`"); code.FindString(c) == c && columns[c[:strings.Index(c, ".")]] {
			said[c] = true
		}
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(there)), slices.Sorted(maps.Keys(said))); d != "" {
		t.Errorf("docs/importing.md has other codes than the program (-program +page):\n%s", d)
	}
}

// The page on the command line has a section for every command, and in it every flag of the command, and no other.
func TestDocsCommandLine(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{}, kong.Name("muster"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"For every command": flagNames(parser.Model.Flags)}
	for _, leaf := range parser.Model.Leaves(true) {
		want[leaf.FullPath()] = flagNames(leaf.Flags)
	}
	got := map[string][]string{}
	flag := regexp.MustCompile("(?m)^\\| `--([a-z-]+)")
	for _, section := range regexp.MustCompile(`(?m)^#+ `).Split(docPages(t)["docs/command-line.md"], -1) {
		title, text, _ := strings.Cut(section, "\n")
		title = strings.Trim(title, "`")
		if _, is := want[title]; !is && !strings.HasPrefix(title, "muster ") {
			continue
		}
		got[title] = []string{}
		for _, m := range flag.FindAllStringSubmatch(text, -1) {
			got[title] = append(got[title], m[1])
		}
		slices.Sort(got[title])
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("docs/command-line.md says other than the program (-program +page):\n%s", d)
	}
}

func flagNames(flags []*kong.Flag) []string {
	names := []string{}
	for _, f := range flags {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// Every command in a page's sh blocks is run, or looked up where it is another program's. Muster's run in order, in a
// directory of the page's own, which has what the page shows as a file (a yaml block whose first line is "# NAME").
// "# exits with N" behind a command is what it must end with; otherwise that is 0.
func TestDocsCommands(t *testing.T) {
	for name, text := range docPages(t) {
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			t.Parallel()
			script := pageScript(t, name, text)
			if script == "" {
				return
			}
			if strings.Contains(script, docDatabase) {
				script = strings.ReplaceAll(script, docDatabase, sqldbtest.Postgres(t))
			}
			path := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(name), ".md")+".txtar")
			if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			testscript.Run(t, testscript.Params{
				Files: []string{path},
				Setup: func(env *testscript.Env) error {
					env.Setenv("MUSTER_DATABASE", "")
					env.Setenv("MUSTER_DATA_DIR", "")
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"docs": docsCommand},
			})
		})
	}
}

var exitsWith = regexp.MustCompile(`\s+# exits with (\d)$`)

// pageScript is what a page's sh blocks tell Muster to do, as a test script. Other programs' lines are looked up here.
func pageScript(t *testing.T, name, text string) string {
	var script, files strings.Builder
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		if file, content, _ := strings.Cut(block[2], "\n"); block[1] == "yaml" && strings.HasPrefix(file, "# ") {
			fmt.Fprintf(&files, "-- %s --\n%s", strings.TrimPrefix(file, "# "), content)
		}
		if block[1] != "sh" {
			continue
		}
		for line := range strings.Lines(block[2]) {
			line, exit := strings.TrimSpace(line), "0"
			if m := exitsWith.FindStringSubmatch(line); m != nil {
				line, exit = strings.TrimSuffix(line, m[0]), m[1]
			}
			line = strings.Replace(line, "go run ./cmd/muster", "muster", 1)
			switch args := strings.Fields(line); {
			case len(args) == 0 || args[0][0] == '#':
			case args[0] == "muster" && len(args) > 1 && args[1] == "serve":
				lookUpFlags(t, name, args[1:]) // it would serve for ever; the console's tests run it
			case args[0] == "muster":
				if len(args) > 1 && args[1] == "demo" && !slices.Contains(args, "--no-serve") {
					line += " --no-serve"
				}
				fmt.Fprintf(&script, "docs %s %s\n", exit, line)
			case args[0] == "make":
				lookUpTargets(t, name, args[1:])
			default:
				lookUpTests(t, name, args)
			}
		}
	}
	if script.Len() == 0 {
		return ""
	}
	return script.String() + files.String()
}

// lookUpFlags fails where Muster would not understand the arguments.
func lookUpFlags(t *testing.T, name string, args []string) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("muster"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%s: muster %s: %v", name, strings.Join(args, " "), err)
	}
}

// lookUpTargets fails where the Makefile does not have what make is to make, or a variable that it is given.
func lookUpTargets(t *testing.T, name string, args []string) {
	t.Helper()
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range args {
		begins := "(?m)^" + regexp.QuoteMeta(arg) + ":"
		if variable, _, is := strings.Cut(arg, "="); is {
			begins = "(?m)^" + regexp.QuoteMeta(variable) + ` [?:]?= `
		}
		if !regexp.MustCompile(begins).Match(makefile) {
			t.Errorf("%s: the Makefile has no %s", name, arg)
		}
	}
}

// lookUpTests fails unless the command is go test on a package that is there, with a test that is there.
func lookUpTests(t *testing.T, name string, args []string) {
	t.Helper()
	for strings.Contains(args[0], "=") {
		args = args[1:]
	}
	if len(args) < 3 || args[0] != "go" || args[1] != "test" {
		t.Errorf("%s: nobody checks the command %q; only muster, make and go test belong into sh blocks", name, strings.Join(args, " "))
		return
	}
	sources, err := filepath.Glob(filepath.Join(root, args[2], "*_test.go"))
	if err != nil || len(sources) == 0 {
		t.Errorf("%s: there are no tests in %s", name, args[2])
	}
	i := slices.Index(args, "-run")
	if i < 0 {
		return
	}
	pattern, _, _ := strings.Cut(args[i+1], "/")
	declared := regexp.MustCompile(`(?m)^func Test\w*`)
	if !slices.ContainsFunc(sources, func(path string) bool {
		text, err := os.ReadFile(path)
		return err == nil && slices.ContainsFunc(declared.FindAllString(string(text), -1), regexp.MustCompile(pattern).MatchString)
	}) {
		t.Errorf("%s: %s has no test %s", name, args[2], pattern)
	}
}

// docsCommand N program args... [> file]: as code, with the patterns and the redirection of a shell.
func docsCommand(ts *testscript.TestScript, neg bool, args []string) {
	into := ""
	if n := len(args); n > 2 && args[n-2] == ">" {
		into, args = args[n-1], args[:n-2]
	}
	var expanded []string
	for _, arg := range args {
		paths, err := filepath.Glob(ts.MkAbs(arg))
		ts.Check(err)
		if !strings.Contains(arg, "*") {
			paths = nil
		}
		for _, path := range paths {
			path, err := filepath.Rel(ts.MkAbs("."), path)
			ts.Check(err)
			expanded = append(expanded, path)
		}
		if paths == nil {
			expanded = append(expanded, arg)
		}
	}
	code(ts, neg, expanded)
	if into != "" {
		ts.Check(os.WriteFile(ts.MkAbs(into), []byte(ts.ReadFile("stdout")), 0o600))
	}
}
