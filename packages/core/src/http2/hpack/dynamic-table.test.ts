import fc from "fast-check";
import { expect, test } from "vitest";
import { DynamicTable } from "./dynamic-table.ts";
import { HeaderField } from "./header-field.ts";

test("is a list whose oldest fields give way (RFC 7541 §4)", () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat(120) }),
    fc.record({ resize: fc.nat(2_000) }),
    fc.record({ add: fc.nat(10) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let most = 1_000;
      let model: HeaderField[] = [];
      const table = new DynamicTable(most);
      const bytes = () => model.reduce((sum, { size }) => sum + size, 0);
      for (const one of steps) {
        const { generation } = table;
        if ("add" in one) {
          const field = new HeaderField("n", "v".repeat(one.add));
          table.add(field);
          model.unshift(field);
          while (bytes() > most) model.pop();
        } else {
          most = one.resize;
          table.resize(most);
          while (bytes() > most) model = model.slice(0, -1);
        }
        expect(table.generation).not.toBe(generation);
        expect([table.count, table.bytes]).toEqual([model.length, bytes()]);
        for (let index = 0; index <= model.length; index++) expect(table.at(index)).toBe(model[index]);
      }
    }),
  );
});
