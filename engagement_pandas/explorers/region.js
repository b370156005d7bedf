// A part of the page that stays while its content is replaced in one go: nothing flickers,
// nothing jumps, and a screen reader that watches it hears of the change.
export default {
  render({ model, el }) {
    const root = document.createElement("div");
    root.innerHTML = model.get("shell");
    const slot = root.querySelector("[data-slot]") ?? root;
    const give = (name, value) =>
      value ? root.setAttribute(name, value) : root.removeAttribute(name);
    const fill = () => { slot.innerHTML = model.get("html"); };
    const dress = () => {
      give("role", model.get("role"));
      give("aria-label", model.get("label"));
      give("aria-busy", model.get("busy") && "true");
      give("tabindex", model.get("reachable") && "0");
      root.toggleAttribute("data-stale", model.get("stale"));
    };
    root.className = "engagement-region";
    dress();
    fill();
    el.append(root);
    model.on("change:html", fill);
    for (const name of ["role", "label", "busy", "reachable", "stale"]) model.on(`change:${name}`, dress);
  },
};
