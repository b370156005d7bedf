// Saves files that the kernel sends: once a page, however often the widget is shown.
export default {
  initialize({ model }) {
    model.on("msg:custom", ({ name, type }, [content]) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([content], { type }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
  },
  render({ el }) { el.style.display = "none"; },
};
