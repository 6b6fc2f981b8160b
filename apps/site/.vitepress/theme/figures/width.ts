import { onBeforeUnmount, onMounted, type Ref, ref } from "vue";

/** The width of an element in pixels, kept up to date: pictures are drawn to it, so that their text stays readable on a phone. */
export function useWidth(element: Readonly<Ref<HTMLElement | null>>, initial = 640): Readonly<Ref<number>> {
  const width = ref(initial);
  let observer: ResizeObserver | null = null;
  onMounted(() => {
    const target = element.value;
    if (target === null) return;
    observer = new ResizeObserver(([entry]) => {
      width.value = Math.max(240, Math.round(entry.contentRect.width));
    });
    observer.observe(target);
  });
  onBeforeUnmount(() => observer?.disconnect());
  return width;
}
