// An error stands right below the control that caused it, or here if there is none.
export default {
  render({ model, el }) {
    const note = document.createElement("div");
    note.className = "engagement-region";
    note.setAttribute("role", "alert");
    el.append(note);
    const update = () => {
      const root = el.closest(".engagement-explorer");
      for (const input of root?.querySelectorAll("[aria-invalid]") ?? [])
        input.removeAttribute("aria-invalid");
      const cause = model.get("html") && root?.querySelector(`.${model.get("mark")}`);
      if (cause) cause.after(note);
      else el.append(note);
      cause?.querySelector?.("input, select, textarea")?.setAttribute("aria-invalid", "true");
      note.innerHTML = model.get("html");
    };
    update();
    model.on("change:html", update);
    return () => note.remove();
  },
};
