package imports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"expense-dashboard/internal/expense"
	"expense-dashboard/internal/expense/expensefile"
	"expense-dashboard/internal/importing"
	"expense-dashboard/internal/server"
	"expense-dashboard/internal/store"
	"expense-dashboard/internal/store/imports"
	"expense-dashboard/internal/team"
	"expense-dashboard/internal/web"
	"expense-dashboard/internal/web/internal/page"
)

const (
	// uploadTimeout bounds the time that a file may take to come, and
	// importPatience how long one that was confirmed at once is waited for.
	uploadTimeout  = 5 * time.Minute
	importPatience = time.Minute
	// progressRefresh is how often the page of a running import comes anew.
	progressRefresh = "2"
)

// ImportForm handles GET /expenses/import.
func (s *Imports) ImportForm(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	return s.renderImport(w, r, http.StatusOK, v, "")
}

func (s *Imports) renderImport(w http.ResponseWriter, r *http.Request, status int, v web.Visit, problem string) error {
	return s.pages.Render(w, r, status, "import", page.ImportView{
		Page: s.Page(v.Person, "Import"), Notice: s.TakeNotice(w, r), Columns: expensefile.Columns, Error: problem,
	})
}

// ImportSample handles GET /expenses/import/sample.csv: a small file to try.
func (s *Imports) ImportSample(w http.ResponseWriter, _ *http.Request, _ web.Visit) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="sample-expenses.csv"`)
	_, err := io.WriteString(w, store.SampleFile())
	return err
}

// ImportFile handles POST /expenses/import.
func (s *Imports) ImportFile(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	upload, err := s.receive(w, r, v)
	var none *expensefile.TableError
	switch {
	case errors.As(err, &none):
		return s.renderImport(w, r, http.StatusUnprocessableEntity, v, none.Text)
	case err != nil:
		return web.BadForm(err)
	case upload.id == "":
		return s.renderImport(w, r, http.StatusUnprocessableEntity, v, "Choose a file to import.")
	}
	preview := web.ImportPath + "/" + upload.id
	if !upload.confirmed || !s.fresh(v.Person) {
		web.SeeOther(w, preview)
		return nil
	}
	p, err := s.importer.Preview(r.Context(), v.Person.Subject, upload.id)
	if err != nil {
		return err
	}
	if p.Report.Wrong > 0 || p.Report.Conflicts > 0 {
		web.SeeOther(w, preview)
		return nil
	}
	if err := s.importer.Confirm(r.Context(), upload.id); err != nil {
		return err
	}
	s.NoteWrite(w)
	patient, cancel := context.WithTimeout(r.Context(), importPatience)
	defer cancel()
	p, err = s.importer.Wait(patient, v.Person.Subject, upload.id)
	if err != nil || p.State != imports.Done || p.Result.Conflicts > 0 {
		// It goes on by itself, and its page says how far it is.
		web.SeeOther(w, preview)
		return nil
	}
	return s.Done(w, r, web.Visit{Person: v.Person, Access: v.Access}, page.Notice{Text: importedText(p.Result), UndoURL: preview + "/undo"})
}

// importedText says what came of an import.
func importedText(result imports.Result) string {
	return fmt.Sprintf("Imported: %s added, %s changed, %s unchanged.",
		page.Grouped(result.New), page.Grouped(result.Changed), page.Grouped(result.Unchanged))
}

// upload is a file that was sent.
type upload struct {
	id        string // of its import; empty where no file was sent
	confirmed bool   // it is to be imported at once
}

// receive reads the form with a file, and keeps the file as it comes.
func (s *Imports) receive(w http.ResponseWriter, r *http.Request, v web.Visit) (upload, error) {
	// A file takes longer than the server grants to an ordinary request. The answer
	// comes after it was looked at.
	controller, until := http.NewResponseController(w), time.Now().Add(uploadTimeout)
	err := errors.Join(controller.SetReadDeadline(until), controller.SetWriteDeadline(until.Add(importPatience+server.AnswerTimeout)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return upload{}, err
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return upload{}, nil
	}
	var got upload
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return got, nil
		case err != nil:
			return got, errors.Join(err, s.drop(r.Context(), got.id))
		}
		if err := s.receivePart(r.Context(), v, part, &got); err != nil {
			return got, errors.Join(err, s.drop(r.Context(), got.id))
		}
	}
}

func (s *Imports) receivePart(ctx context.Context, v web.Visit, part *multipart.Part, got *upload) (err error) {
	switch {
	case part.FormName() == "confirm":
		var value []byte
		value, err = io.ReadAll(io.LimitReader(part, web.MaxSubmission))
		got.confirmed = string(value) == "yes"
	case part.FormName() == "file" && part.FileName() != "" && got.id == "":
		got.id, err = s.importer.Receive(ctx, v.Actor(), part.FileName(), part)
	}
	return err
}

// drop forgets a file whose form did not come whole.
func (s *Imports) drop(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	return s.importer.Discard(context.WithoutCancel(ctx), id)
}

// ImportPreview handles GET /expenses/import/{id}.
func (s *Imports) ImportPreview(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	p, err := s.importer.Preview(r.Context(), v.Person.Subject, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showPreview(w, r, http.StatusOK, v, p)
}

func (s *Imports) showPreview(w http.ResponseWriter, r *http.Request, status int, v web.Visit, p importing.Preview) error {
	w.Header().Set("Vary", "Accept")
	if p.UnderWay() {
		w.Header().Set("Refresh", progressRefresh)
	}
	if web.PrefersJSON(r) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		return json.NewEncoder(w).Encode(p.Counts())
	}
	view := previewView(p, s.directory.Current().Teams())
	view.Submission = web.NewSubmission(v.Person.Subject)
	view.Page, view.Notice, view.Refused = s.Page(v.Person, "Import"), s.TakeNotice(w, r), status != http.StatusOK
	return s.pages.Render(w, r, status, "preview", view)
}

// ConfirmImport handles POST /expenses/import/{id}. Where choices come with it
// that change how the file is read, or look=again, it is looked at anew instead:
// nothing is imported unseen.
func (s *Imports) ConfirmImport(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	id := r.PathValue("id")
	p, err := s.importer.Preview(r.Context(), v.Person.Subject, id)
	if err != nil {
		return err
	}
	if p.State != imports.Ready {
		web.SeeOther(w, web.ImportPath+"/"+id)
		return nil
	}
	anew := r.PostForm.Has("look")
	if choices, changed := chosen(r.PostForm, p, s.directory.Current().Teams()); changed {
		anew = true
		if p, err = s.importer.Choose(r.Context(), v.Person.Subject, id, choices); err != nil {
			return err
		}
	}
	if decisions, changed := decided(r.PostForm, p); changed {
		if err := s.importer.Decide(r.Context(), p, decisions); err != nil {
			return err
		}
	}
	switch {
	case anew:
		web.SeeOther(w, web.ImportPath+"/"+id)
		return nil
	case p.Report.Wrong > 0:
		return s.showPreview(w, r, http.StatusUnprocessableEntity, v, p)
	}
	if err := s.importer.Confirm(r.Context(), id); err != nil && !errors.Is(err, expense.ErrNotFound) {
		return err
	}
	s.NoteWrite(w)
	web.SeeOther(w, web.ImportPath+"/"+id)
	return nil
}

// maxChoice bounds what is typed for all rows of a file, in bytes.
const maxChoice = 1000

// chosen reads how a file is to be read, and whether that is another way than
// until now. What a form does not name stays.
func chosen(form url.Values, p importing.Preview, teams []team.Team) (expensefile.Choices, bool) {
	c := p.Layout.Choices
	c.Columns, c.Teams = map[int]string{}, map[string]string{}
	for _, field := range []struct {
		name string
		to   *string
	}{{"dates", &c.Dates}, {"decimal", &c.Decimal}, {"date", &c.Date}, {"team", &c.Team}, {"person", &c.Person}, {"category", &c.Category}} {
		if value := strings.TrimSpace(form.Get(field.name)); form.Has(field.name) && len(value) <= maxChoice {
			*field.to = value
		}
	}
	if !slices.ContainsFunc(teams, func(t team.Team) bool { return t.ID == c.Team }) {
		c.Team = p.Layout.Choices.Team
	}
	if c.Date == p.Layout.DefaultDate() {
		c.Date = p.Layout.Choices.Date
	}
	for at := range p.Layout.Columns {
		value := p.Layout.Choices.Columns[at]
		if posted, ok := form["column-"+strconv.Itoa(at)]; ok && posted[0] != p.Layout.Columns[at].Field {
			value = posted[0]
		}
		if value != "" {
			c.Columns[at] = value
		}
	}
	for at, name := range p.Layout.UnknownTeams {
		value := p.Layout.Choices.Teams[name]
		if posted, ok := form["unknown-"+strconv.Itoa(at)]; ok {
			value = posted[0]
		}
		if value == name || slices.ContainsFunc(teams, func(t team.Team) bool { return t.ID == value }) {
			c.Teams[name] = value
		}
	}
	before, err1 := json.Marshal(p.Layout.Choices)
	after, err2 := json.Marshal(c)
	return c, err1 != nil || err2 != nil || string(before) != string(after)
}

// decided reads what becomes of conflicts and of deleted expenses, and whether
// that is another decision than until now.
func decided(form url.Values, p importing.Preview) (importing.Decisions, bool) {
	if !form.Has("decided") {
		return p.Decisions, false
	}
	d := importing.Decisions{Restore: form.Get("restore") == "yes"}
	for _, value := range form["take"] {
		line, err := strconv.Atoi(value)
		switch {
		case value == "all":
			d.TakeConflicts = true
		case err == nil && len(d.TakeLines) < importing.MaxLines:
			d.TakeLines = append(d.TakeLines, line)
		}
	}
	return d, d.Restore != p.Decisions.Restore || d.TakeConflicts != p.Decisions.TakeConflicts || !slices.Equal(d.TakeLines, p.Decisions.TakeLines)
}

// DiscardImport handles POST /expenses/import/{id}/discard.
func (s *Imports) DiscardImport(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	p, err := s.importer.Preview(r.Context(), v.Person.Subject, r.PathValue("id"))
	if err != nil {
		return err
	}
	if p.State != imports.Ready {
		web.SeeOther(w, web.ImportPath+"/"+p.ID)
		return nil
	}
	if err := s.importer.Discard(r.Context(), p.ID); err != nil {
		return err
	}
	if err := s.PutNotice(w, r, page.Notice{Text: "Discarded. Nothing was imported."}); err != nil {
		return err
	}
	web.SeeOther(w, web.ImportPath)
	return nil
}

// UndoImport handles POST /expenses/import/{id}/undo.
func (s *Imports) UndoImport(w http.ResponseWriter, r *http.Request, v web.Visit) error {
	if err := web.ReadForm(r, v.Person); err != nil {
		return err
	}
	p, err := s.importer.Preview(r.Context(), v.Person.Subject, r.PathValue("id"))
	switch {
	case err != nil:
		return err
	case p.State == imports.Ready, p.State == imports.Running, p.State == imports.Failed:
		return web.ErrNoUndo
	case p.State == imports.Done:
		if err := s.importer.Undo(r.Context(), p.ID); err != nil && !errors.Is(err, expense.ErrNotFound) {
			return err
		}
		s.NoteWrite(w)
	}
	web.SeeOther(w, web.ImportPath+"/"+p.ID)
	return nil
}
