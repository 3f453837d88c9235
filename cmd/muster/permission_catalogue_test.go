package main

import (
	"muster/internal/directory"
)

// cataloguePermissions are those of the catalogues and the settings.
func cataloguePermissions() []permission {
	const whole = "it holds for the whole organisation"
	row := func(method string, reach reach, right directory.Right, call func(w *ward, h *directory.Handle) (bool, error)) permission {
		return permission{method: "Handle." + method, why: whole, reach: reach, needs: rights{right}, call: func(w *ward, a directory.Actor) (bool, error) {
			return call(w, w.app.dir.As(a))
		}}
	}
	// seen is a channel as the system sees it.
	seen := func(w *ward) directory.Channel {
		c, err := w.app.handle().Catalogues(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		return c.Channels[0]
	}
	return []permission{
		row("Catalogues", anywhere, "catalogues:access", func(w *ward, h *directory.Handle) (bool, error) {
			c, err := h.Catalogues(w.Context())
			return len(c.Channels) > 0, err
		}),
		row("CatalogueUse", anywhere, "catalogues:access", func(w *ward, h *directory.Handle) (bool, error) {
			u, err := h.CatalogueUse(w.Context(), directory.ChannelCatalogue, seen(w).ID)
			return u.Following > 0, err
		}),
		row("SaveChannel", everywhere, "catalogues:edit", func(w *ward, h *directory.Handle) (bool, error) {
			before := seen(w)
			want := before
			want.Name = "Another name"
			_, err := h.SaveChannel(w.Context(), &before, want)
			return seen(w).Name == want.Name, err
		}),
		row("SaveFeature", everywhere, "catalogues:add", func(w *ward, h *directory.Handle) (bool, error) {
			_, err := h.SaveFeature(w.Context(), nil, directory.Feature{Name: "Another", Kind: "switch", Default: "no"}, nil)
			return w.count("SELECT count(*) FROM features WHERE name = 'Another'") > 0, err
		}),
		row("SaveCRMName", everywhere, "catalogues:add", func(w *ward, h *directory.Handle) (bool, error) {
			_, err := h.SaveCRMName(w.Context(), nil, directory.Named{Name: "Another"})
			return w.count("SELECT count(*) FROM crm_names WHERE name = 'Another'") > 0, err
		}),
		row("SaveGreetingTemplate", everywhere, "catalogues:add", func(w *ward, h *directory.Handle) (bool, error) {
			_, err := h.SaveGreetingTemplate(w.Context(), nil, directory.GreetingTemplate{Name: "Another", Text: "Hi"})
			return w.count("SELECT count(*) FROM greeting_templates WHERE name = 'Another'") > 0, err
		}),
		row("MoveCatalogueEntry", everywhere, "catalogues:edit", func(w *ward, h *directory.Handle) (bool, error) {
			first := seen(w)
			err := h.MoveCatalogueEntry(w.Context(), directory.ChannelCatalogue, first.ID, 1)
			return seen(w).ID != first.ID, err
		}),
		row("DeleteCatalogueEntry", everywhere, "catalogues:delete", func(w *ward, h *directory.Handle) (bool, error) {
			first := seen(w)
			err := h.DeleteCatalogueEntry(w.Context(), directory.ChannelCatalogue, first.ID)
			return seen(w).ID != first.ID, err
		}),
		row("Settings", anywhere, "settings:access", func(w *ward, h *directory.Handle) (bool, error) {
			s, err := h.Settings(w.Context())
			return s != directory.Settings{}, err
		}),
		row("SaveSettings", everywhere, "settings:edit", func(w *ward, h *directory.Handle) (bool, error) {
			want := directory.DefaultSettings()
			want.RetentionDays = 7
			_, err := h.SaveSettings(w.Context(), directory.DefaultSettings(), want)
			return w.count("SELECT count(*) FROM settings WHERE name = 'retention_days' AND value = '7'") > 0, err
		}),
	}
}
