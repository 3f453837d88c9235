package userimport_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// columns are the constants of package directory and the first half of their codes.
var columnCodes = map[string]string{
	"LANID": "lan_id", "FirstName": "first_name", "LastName": "last_name", "AgentID": "agent_id", "PBXID": "pbx_id",
	"ProfileColumn": "profile", "SupervisorColumn": "supervisor", "OrgUnitColumn": "org_unit", "RoleColumn": "role",
	"AccessRoleColumn": "access_role", "CRMNameColumn": "crm_name", "GreetingColumn": "greeting_template",
}

// codeFinder follows the codes through the program's text. A code is a literal ("lan_id.missing"), or its first half
// comes from a column: a constant where the problem is made, or where a function that makes it is called. For a
// function that is given its column, ends are the second halves that it can make of it.
type codeFinder struct {
	functions []*ast.FuncDecl
	ends      map[string]map[string]bool // by the function's name, whatever it is a method of
	codes     map[string]bool
}

var (
	wholeCode = regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)
	beginning = regexp.MustCompile(`^(channel|feature)\.$`)
	ending    = regexp.MustCompile(`^\.[a-z]+_[a-z_]+$`)
	codeWord  = regexp.MustCompile(`^[a-z_]+$`)
)

func codesInSource(t *testing.T, dirs ...string) []string {
	t.Helper()
	f := &codeFinder{ends: map[string]map[string]bool{}, codes: map[string]bool{}}
	for _, dir := range dirs {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			// What is only said of a user in a form (files user_….go), or of those who are there already (bulk_….go), has its
			// cases in the packages directory and useredit.
			name := filepath.Base(path)
			if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "user_") || strings.HasPrefix(name, "bulk") {
				continue
			}
			text, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.literals(text)
			for _, d := range text.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					f.functions = append(f.functions, fn)
				}
			}
		}
	}
	for again := true; again; {
		again = false
		for _, fn := range f.functions {
			again = f.follow(fn) || again
		}
	}
	return slices.Sorted(maps.Keys(f.codes))
}

// literals collects whole codes, and those whose halves are joined with +.
func (f *codeFinder) literals(n ast.Node) {
	known := append(slices.Collect(maps.Values(columnCodes)), "file", "channel", "feature", "undo")
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := text(n); ok && wholeCode.MatchString(s) && slices.Contains(known, s[:strings.Index(s, ".")]) {
			f.codes[s] = true
		}
		if s, ok := text(n); ok && ending.MatchString(s) {
			f.codes["channel"+s], f.codes["feature"+s] = true, true
		}
		// problem := func(code, …) { … Code: "channel." + code … }; …; problem("too_high", …)
		if fn, ok := n.(*ast.FuncDecl); ok {
			f.joined(fn)
		}
		return true
	})
}

func (f *codeFinder) joined(fn *ast.FuncDecl) {
	begin := ""
	ast.Inspect(fn, func(n ast.Node) bool {
		if s, ok := text(n); ok && beginning.MatchString(s) {
			begin = s
		}
		return true
	})
	if begin == "" {
		return
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		if called, _ := callee(call); called != "problem" {
			return true
		}
		if s, ok := text(call.Args[0]); ok {
			f.codes[begin+s] = true
		}
		return true
	})
}

// follow looks at what a function calls with a column, and tells whether that was news.
func (f *codeFinder) follow(fn *ast.FuncDecl) (news bool) {
	name := fn.Name.Name
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called, _ := callee(call)
		for i, arg := range call.Args {
			column, constant := columnOf(arg, fn)
			if !constant && column == "" {
				continue
			}
			ends := f.ends[called]
			if called == "problem" && i == 0 && len(call.Args) > 1 {
				if s, ok := text(call.Args[1]); ok && codeWord.MatchString(s) {
					ends = map[string]bool{s: true}
				}
			}
			for end := range ends {
				if constant {
					f.codes[column+"."+end] = true
				} else if !f.ends[name][end] {
					if f.ends[name] == nil {
						f.ends[name] = map[string]bool{}
					}
					f.ends[name][end], news = true, true
				}
			}
		}
		return true
	})
	return news
}

// columnOf is the code of a column given as a constant, or the name of the function's own parameter.
func columnOf(arg ast.Expr, fn *ast.FuncDecl) (name string, constant bool) {
	id, ok := arg.(*ast.Ident)
	if sel, isSel := arg.(*ast.SelectorExpr); isSel {
		pkg, isPkg := sel.X.(*ast.Ident)
		id, ok = sel.Sel, isPkg && pkg.Name == "directory"
	}
	if !ok {
		return "", false
	}
	if code, ok := columnCodes[id.Name]; ok {
		return code, true
	}
	for _, p := range fn.Type.Params.List {
		for _, n := range p.Names {
			if n.Name == id.Name && id.Name == "col" {
				return id.Name, false
			}
		}
	}
	return "", false
}

func callee(call *ast.CallExpr) (name string, ok bool) {
	switch fn := call.Fun.(type) {
	case *ast.Ident:
		return fn.Name, true
	case *ast.SelectorExpr:
		return fn.Sel.Name, true
	}
	return "", false
}

func text(n ast.Node) (string, bool) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
