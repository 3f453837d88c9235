package main

import (
	"slices"

	"muster/internal/directory"
)

// emptyTeam is a unit of the ward in which nobody is.
const emptyTeam = subjectUnit + " / Team 1"

func (w *ward) unit(full string) directory.OrgUnit {
	w.Helper()
	i := slices.IndexFunc(w.cfg.OrgUnits, func(u directory.OrgUnit) bool { return u.FullName == full })
	if i < 0 {
		w.Fatalf("there is no unit %s", full)
	}
	return w.cfg.OrgUnits[i]
}

func (w *ward) units(full string) int64 {
	w.Helper()
	return w.count("SELECT count(*) FROM org_units WHERE full_name = $1", full)
}

func orgPermissions() []permission {
	see, add, edit := rights{"org-units:access"}, rights{"org-units:add"}, rights{"org-units:edit"}
	has := func(t *directory.OrgTree) bool {
		return t != nil && slices.ContainsFunc(t.Units, func(u directory.OrgNode) bool { return u.FullName == subjectUnit && u.InScope })
	}
	return []permission{
		{method: "Handle.OrgTree", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			t, err := w.app.dir.As(a).OrgTree(w.Context())
			return has(t), err
		}},
		{method: "Handle.OrgBranch", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			t, err := w.app.dir.As(a).OrgBranch(w.Context(), w.unit(subjectUnit).ID)
			return has(t), err
		}},
		{method: "Handle.OrgUnit", needs: see, call: func(w *ward, a directory.Actor) (bool, error) {
			u, err := w.app.dir.As(a).OrgUnit(w.Context(), w.unit(subjectUnit).ID)
			return u.ID != 0, err
		}},
		{method: "Handle.OrgLevels", needs: see, reach: anywhere, why: "levels belong to no unit", call: func(w *ward, a directory.Actor) (bool, error) {
			levels, err := w.app.dir.As(a).OrgLevels(w.Context())
			return len(levels) > 0, err
		}},
		{method: "Handle.AddUnit", needs: add, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).AddUnit(w.Context(), w.unit(subjectUnit).ID, "Team 2")
			return w.units(subjectUnit+" / Team 2") > 0, err
		}},
		{method: "Handle.AddUnit", why: "at the top", needs: add, reach: everywhere, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).AddUnit(w.Context(), 0, "Oman")
			return w.units("Oman") > 0, err
		}},
		{method: "Handle.RenameUnit", needs: edit, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).RenameUnit(w.Context(), w.unit(subjectUnit).ID, directory.UnitSeen{}, "Payments")
			return w.units("UAE / Payments") > 0, err
		}},
		{method: "Handle.MoveUnit", why: "to the top", needs: edit, reach: everywhere, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).MoveUnit(w.Context(), w.unit(emptyTeam).ID, directory.UnitSeen{}, 0)
			return w.units("Team 1") > 0, err
		}},
		{method: "Handle.DeleteUnit", needs: rights{"org-units:delete"}, call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.dir.As(a).DeleteUnit(w.Context(), w.unit(emptyTeam).ID, directory.UnitSeen{})
			return w.units(emptyTeam) == 0, err
		}},
		{method: "Handle.SetLevels", needs: edit, reach: everywhere, call: func(w *ward, a directory.Actor) (bool, error) {
			err := w.app.dir.As(a).SetLevels(w.Context(), w.cfg.Levels, append(slices.Clone(w.cfg.Levels), "Desk"))
			return w.count("SELECT count(*) FROM org_levels WHERE name = 'Desk'") > 0, err
		}},
		{method: "Handle.PlanUnits", needs: rights{"org-units:access", "org-units:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			p, err := w.app.dir.As(a).PlanUnits(w.Context(), []string{subjectUnit + " / Team 2"})
			return p != nil && len(p.New) > 0, err
		}},
		{method: "Handle.AddUnits", needs: rights{"org-units:access", "org-units:add"}, call: func(w *ward, a directory.Actor) (bool, error) {
			_, err := w.app.dir.As(a).AddUnits(w.Context(), []string{subjectUnit + " / Team 2"})
			return w.units(subjectUnit+" / Team 2") > 0, err
		}},
	}
}
