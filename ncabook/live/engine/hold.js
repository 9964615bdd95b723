// On a touch screen a swipe over the grids scrolls the page, until the reader takes the brush. A
// mouse or a pen always has it.

import { setButton } from "./elements.js";

const ASKED = 1200;  // milliseconds for which the button answers a tap that did nothing

export class Hold {
  /** `say`: to screen readers. */
  constructor(view, say) {
    Object.assign(this, { view, say, taken: false });
    view.take.addEventListener("click", () => {
      this.set(!this.taken);
      say(this.taken ? "The brush is yours; swipes over the grid no longer scroll" : "Swipes scroll again");
    });
    view.tools.forEach((input, i) => input.addEventListener("change", () => this.choose(i)));
    if (matchMedia("(pointer: coarse)").matches) this.touch();
    this.choose(0);
  }

  /** Somebody touches: from now on there is a button. */
  touch() {
    if (this.view.root.dataset.touch !== undefined) return;
    this.view.root.dataset.touch = "";
    this.show();
  }

  /** A tap asked for a brush that is not taken. */
  ask() {
    this.touch();
    const { dataset } = this.view.take;
    dataset.asked = "";
    setTimeout(() => delete dataset.asked, ASKED);
  }

  choose(index) {
    this.view.root.dataset.tool = this.view.brushes[index].tool;
    this.show();
  }

  set(taken) {
    if (taken === this.taken) return;
    this.taken = taken;
    this.show();
  }

  show() {
    const { view: { root, take, does, brushes }, taken } = this;
    root.toggleAttribute("data-taken", taken);
    setButton(take, taken ? "done" : "take", taken ? "Done" : "Use the brush");
    const scrolls = root.dataset.touch !== undefined && !taken;
    does.textContent = scrolls ? "A swipe scrolls" : brushes.find(({ tool }) => tool === root.dataset.tool).does;
  }
}
