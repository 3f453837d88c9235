package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/directory"
)

func TestUserRights(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(o *office) {
		apply(o, system(o.d), directory.Configuration{Roles: []directory.Role{
			{Name: "A", Rights: []directory.Right{"audit:access", "users:access"}, Rules: []directory.Rule{
				{Rule: "usb-storage", Action: "warn", DelaySeconds: 3}, {Rule: "clipboard-copy", Action: "lock", DelaySeconds: 9}}},
			{Name: "B", Rights: []directory.Right{"users:access"}, Rules: []directory.Rule{
				{Rule: "usb-storage", Action: "sign-out", DelaySeconds: 30}, {Rule: "clipboard-copy", Action: "lock", DelaySeconds: 9}}},
			{Name: "C", Rules: []directory.Rule{{Rule: "usb-storage", Action: "record", DelaySeconds: 3}}},
		}}, false)
		in := o.user("lead").Input()
		in.Roles = []string{"C", "B", "A"}
		e, err := system(o.d).EditUser(o.Context(), o.ids["lead"], 1, in, "")
		if err != nil || errorCodes(e.Problems) != "" {
			o.Fatal(e, err)
		}
		got, err := system(o.d).UserRights(o.Context(), o.ids["lead"])
		const nowhere = "nowhere, as there is no access role"
		want := directory.UserRights{
			Rights: []directory.RightFrom{{Right: "users:access", Roles: []string{"A", "B"}, Where: nowhere}, {Right: "audit:access", Roles: []string{"A"}, Where: nowhere}},
			Rules: []directory.RuleFrom{
				{Rule: directory.Rule{Rule: "clipboard-copy", Action: "lock", DelaySeconds: 9}, Roles: []string{"A", "B"}, ActionFrom: []string{"A", "B"}, DelayFrom: []string{"A", "B"}},
				{Rule: directory.Rule{Rule: "usb-storage", Action: "sign-out", DelaySeconds: 3}, Roles: []string{"A", "B", "C"}, ActionFrom: []string{"B"}, DelayFrom: []string{"A", "C"}},
			},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			o.Error(err, diff)
		}
		version := int64(2)
		for accessRole, where := range map[string]string{
			"Everywhere": "everywhere", "Retail": "in UAE / Retail and below", "Own unit": "in UAE / Retail", "Own and below": "in UAE / Retail and below",
		} {
			in.AccessRole = accessRole
			if e, err = system(o.d).EditUser(o.Context(), o.ids["lead"], version, in, ""); err != nil || e.Conflict != nil {
				o.Fatal(e, err)
			}
			version = e.User.Version
			if got, err := system(o.d).UserRights(o.Context(), o.ids["lead"]); err != nil || got.Rights[0].Where != where {
				o.Errorf("%s: %v, %v", accessRole, got.Rights, err)
			}
		}
	})
}
