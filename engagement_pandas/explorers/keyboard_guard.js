// JupyterLab handles keys as commands even while a control has the focus: an arrow moves to the
// next cell, and x deletes the cell. While one of our controls has the focus, its keys are not
// commands, except for Escape, Shift+Enter, and combinations with Ctrl, Alt or Meta.
const isCommand = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" ||
  (event.key === "Enter" && event.shiftKey);

export default {
  render({ model, el }) {
    el.style.display = "none";
    model.set("zone", Intl.DateTimeFormat().resolvedOptions().timeZone ?? "");
    model.save_changes();
    const onKey = (event) => {
      const root = el.isConnected && el.closest(model.get("root"));
      if (root && event.target !== root && root.contains(event.target))
        event.target.toggleAttribute("data-lm-suppress-shortcuts", !isCommand(event));
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  },
};
