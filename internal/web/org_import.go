package web

import (
	"net/http"
	"strings"

	"muster/internal/fault"
	"muster/internal/setup"
)

func (s *Server) importOrgDialog(v *visit) error {
	if err := v.actor().Need(seeOrg, addOrg); err != nil {
		return err
	}
	return v.orgDialog(http.StatusOK, "Import org units", importUnitsView(&unitImport{}))
}

// previewOrg reads the file and shows what it would add. The file is not kept: what it would add goes with the form.
func (s *Server) previewOrg(v *visit) error {
	if err := v.actor().Need(seeOrg, addOrg); err != nil {
		return err
	}
	p, err := s.planOrg(v)
	if err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			return v.orgDialog(status, "Import org units", importUnitsView(&unitImport{Problem: problem}))
		})
	}
	return v.orgDialog(http.StatusOK, "Import org units", importUnitsView(p))
}

func (s *Server) planOrg(v *visit) (*unitImport, error) {
	file, header, err := v.FormFile("file")
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no file was selected; select a spreadsheet with the column Org Unit")
	}
	defer file.Close()
	p := &unitImport{File: fileName(header.Filename)}
	units, err := setup.ReadUnits(file, header.Size, p.File, s.Limits)
	if err != nil {
		return nil, err
	}
	if p.Plan, err = v.handle().PlanUnits(v.ctx(), units.Names); err != nil {
		return nil, err
	}
	p.Problems = units.Problems(p.Plan)
	return p, nil
}

// addUnits adds what a preview has shown; what is there by now is passed over.
func (s *Server) addUnits(v *visit) error {
	if err := v.actor().Need(seeOrg, addOrg); err != nil {
		return err
	}
	var names []string
	for line := range strings.Lines(v.FormValue("units")) {
		if name := strings.TrimSpace(line); name != "" {
			names = append(names, name)
		}
	}
	made, err := v.handle().AddUnits(v.ctx(), names)
	if err != nil {
		return v.orgAgain(err, func(status int, problem string) error {
			return v.orgDialog(status, "Import org units", importUnitsView(&unitImport{Problem: problem}))
		})
	}
	var last int64
	if len(made) > 0 {
		t, err := v.handle().OrgTree(v.ctx())
		if err != nil {
			return err
		}
		if u, err := t.Find("/ " + made[0]); err == nil {
			last = u.ID
		}
	}
	return v.redirect(v.orgAddress(last))
}
